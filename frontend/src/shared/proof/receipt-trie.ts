import { type Address, fromRlp, getAddress, type Hex, hexToBigInt, hexToNumber, keccak256, size, toRlp } from "viem";
import { PageError } from "@/shared/errors/page-error.ts";

/** Nothing in this folder asks anybody: what it says follows from the bytes that it is given. */

export interface ProvenHeader {
  readonly hash: Hex;
  readonly number: number;
  readonly timestamp: number;
  readonly receiptsRoot: Hex;
}

export interface ProvenLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

type Item = Hex | readonly Item[];

const HEADER_FIELDS = { least: 15, most: 21, receiptsRoot: 5, number: 8, timestamp: 11 };
/** Up to EIP-7702; a receipt of an unknown type is not guessed at. */
const LAST_RECEIPT_TYPE = 4;

/** What a block's header says; its hash is that of its bytes. */
export function readHeader(encoded: Hex): ProvenHeader {
  const items = list(decode(encoded), "a block header");
  if (items.length < HEADER_FIELDS.least || items.length > HEADER_FIELDS.most) {
    throw new PageError(`A block header has 15 fields and more, not ${items.length}.`);
  }
  return {
    hash: keccak256(encoded),
    number: whole(items[HEADER_FIELDS.number]),
    timestamp: whole(items[HEADER_FIELDS.timestamp]),
    receiptsRoot: bytesOf(items[HEADER_FIELDS.receiptsRoot], 32),
  };
}

/** The logs in the receipt of transaction `index`, to which `proof` leads from the header's receipts root (yellow paper, appendix D). */
export function provenLogs(header: ProvenHeader, index: number, proof: readonly Hex[]): readonly ProvenLog[] {
  return readReceipt(valueAt(header.receiptsRoot, index, proof));
}

/** The value that `proof` shows to be item `index` of the list whose trie has this root: every node is the one that the node above it names. */
export function valueAt(root: Hex, index: number, proof: readonly Hex[]): Hex {
  const path = [...nibbles(toRlp(index === 0 ? "0x" : minimalHex(index)))];
  const left = [...proof];
  const fetch = (reference: Hex) => {
    const node = left.shift();
    if (node === undefined) throw new PageError("A trie proof ends before its value.");
    if (keccak256(node) !== reference) {
      throw new PageError("A node of a trie proof is not the one that the node above it names.");
    }
    return list(decode(node), "a trie node");
  };
  let node = fetch(root);
  for (;;) {
    let child: Item | undefined;
    if (node.length === 17) {
      const nibble = path.shift();
      if (nibble === undefined) throw new PageError("A trie proof ends inside a branch.");
      child = node[nibble];
    } else if (node.length === 2) {
      const { steps, isLeaf } = readPath(bytesOf(node[0]));
      if (steps.some((step, at) => path[at] !== step)) throw new PageError(`The trie has no item ${index}.`);
      path.splice(0, steps.length);
      child = node[1];
      if (isLeaf) {
        if (path.length > 0) throw new PageError(`The trie has no item ${index}.`);
        if (left.length > 0) throw new PageError("A trie proof has nodes below its value.");
        return bytesOf(child);
      }
    } else {
      throw new PageError(`A trie node has 2 or 17 items, not ${node.length}.`);
    }
    node = typeof child === "string" ? fetch(bytesOf(child, 32)) : embedded(child);
  }
}

function embedded(child: Item | undefined): readonly Item[] {
  const node = list(child, "a trie node");
  if (size(toRlp(node as never)) >= 32) throw new PageError("A trie node of 32 bytes and more is named by its hash.");
  return node;
}

function readReceipt(encoded: Hex): readonly ProvenLog[] {
  const first = hexToNumber(`0x${encoded.slice(2, 4) || "0"}`);
  // A list begins at 0xc0: what is below is the type of the envelope (EIP-2718).
  const isTyped = first >= 1 && first <= LAST_RECEIPT_TYPE;
  const items = list(decode(isTyped ? `0x${encoded.slice(4)}` : encoded), "a receipt");
  if (items.length !== 4) throw new PageError(`A receipt has 4 fields, not ${items.length}.`);
  return list(items[3], "a receipt's logs").map((entry) => {
    const log = list(entry, "a log");
    if (log.length !== 3) throw new PageError("A log is an address, topics and data.");
    return {
      address: getAddress(bytesOf(log[0], 20)),
      topics: list(log[1], "a log's topics").map((topic) => bytesOf(topic, 32)),
      data: bytesOf(log[2]),
    };
  });
}

/** Hex-prefix encoding (yellow paper, appendix C). */
function readPath(compact: Hex): { readonly steps: readonly number[]; readonly isLeaf: boolean } {
  const [flag, ...rest] = nibbles(compact);
  if (flag === undefined || flag > 3) throw new PageError("A trie node's path has no known form.");
  const isOdd = (flag & 1) === 1;
  if (!isOdd && rest[0] !== 0) throw new PageError("A trie node's path has no known form.");
  return { steps: isOdd ? rest : rest.slice(1), isLeaf: flag >= 2 };
}

function nibbles(bytes: Hex): number[] {
  return [...bytes.slice(2)].map((digit) => Number.parseInt(digit, 16));
}

function minimalHex(value: number): Hex {
  const digits = value.toString(16);
  return `0x${digits.length % 2 === 0 ? "" : "0"}${digits}`;
}

function decode(encoded: Hex): Item {
  try {
    return fromRlp(encoded, "hex") as Item;
  } catch (error) {
    throw new PageError("Bytes of the proof are no RLP.", { cause: error });
  }
}

function list(item: Item | undefined, what: string): readonly Item[] {
  if (item === undefined || typeof item === "string") throw new PageError(`What should be ${what} is no list.`);
  return item;
}

function bytesOf(item: Item | undefined, length?: number): Hex {
  if (typeof item !== "string") throw new PageError("What should be bytes is a list.");
  if (length !== undefined && size(item) !== length)
    throw new PageError(`A field has ${size(item)} bytes, not ${length}.`);
  return item;
}

function whole(item: Item | undefined): number {
  const bytes = bytesOf(item);
  const value = bytes === "0x" ? 0n : hexToBigInt(bytes);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new PageError("A number of a header is too large.");
  return Number(value);
}
