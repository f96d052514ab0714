import { Link, NavLink, Outlet } from "react-router";
import { paths } from "@/shared/paths.ts";
import { ChainBanner } from "./chain-banner.tsx";
import { NodeBanner } from "./node-banner.tsx";
import { WalletMenu } from "./wallet-menu.tsx";

const SECTIONS = [
  ["Market", paths.market],
  ["My jobs", paths.jobs],
  ["Earnings", paths.earnings],
  ["Statistics", paths.statistics],
  ["Institutions", paths.institutions],
  ["Audit", paths.audit],
] as const;

/** What surrounds every page. */
export function Layout() {
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link className="brand" to={paths.market}>
          Computility
        </Link>
        <nav aria-label="Sections">
          {SECTIONS.map(([name, path]) => (
            <NavLink key={path} to={path} end={path === paths.market}>
              {name}
            </NavLink>
          ))}
        </nav>
        <WalletMenu />
      </header>
      <NodeBanner />
      <ChainBanner />
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}
