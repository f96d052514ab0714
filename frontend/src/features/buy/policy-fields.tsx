import { TextField } from "@/shared/ui/text-field.tsx";
import { ChoiceField } from "./choice-field.tsx";
import type { JobKind } from "./job-kind.ts";
import type { InputFile } from "./job-specification.ts";
import { methodsOf, type PolicyDraft, type Precision } from "./policy-draft.ts";

interface Props {
  readonly policy: PolicyDraft;
  readonly onChange: (policy: PolicyDraft) => void;
  readonly kind: JobKind;
  readonly inputs: readonly InputFile[];
  readonly sealed: boolean;
}

const PRECISIONS: readonly (readonly [Precision, string])[] = [
  ["", "exact integers"],
  ["float32", "floats of 32 bits"],
  ["bfloat16", "bfloat16"],
  ["float16", "floats of 16 bits"],
];

/** How the result is checked: one of the methods that the kind of job admits, and what it needs to know. */
export function PolicyFields({ policy, onChange, kind, inputs, sealed }: Props) {
  const set = (field: keyof PolicyDraft) => (value: string) => onChange({ ...policy, [field]: value });
  return (
    <>
      <ChoiceField
        label="How the result is checked"
        value={policy.method}
        options={methodsOf(kind, sealed)}
        onChange={(method) => onChange({ ...policy, method })}
      />
      {policy.method === "hash-equality" && (
        <TextField
          label="Outputs that have to be the same"
          rows={2}
          value={policy.files}
          onChange={set("files")}
          hint="One path a line; none for all of them."
        />
      )}
      {policy.method === "audited" && (
        <TextField
          label="Jobs that are run again"
          unit="%"
          numeric
          value={policy.auditPercent}
          onChange={set("auditPercent")}
        />
      )}
      {policy.method === "freivalds" && <ProductFields policy={policy} onChange={onChange} inputs={inputs} />}
      {policy.method === "segment-replay" && <SegmentFields policy={policy} onChange={onChange} />}
      {policy.method === "lease" && (
        <TextField
          label="Interval"
          unit="s"
          numeric
          value={policy.intervalS}
          onChange={set("intervalS")}
          hint="The provider reads its meter four times in it, and stops when you have signed for nothing that long: neither side ever risks more. Your wallet asks you each time, so the shorter it is, the oftener."
        />
      )}
      {policy.method === "written" && (
        <TextField
          label="Policy"
          rows={4}
          value={policy.written}
          onChange={set("written")}
          hint='Like {"method": "all-of", "of": [{"method": "hash-equality"}, …]}.'
        />
      )}
    </>
  );
}

function ProductFields({ policy, onChange, inputs }: Omit<Props, "kind" | "sealed">) {
  const matrices = [["", "choose an input"], ...inputs.map(({ path }) => [path, path])] as [string, string][];
  return (
    <>
      <div className="row">
        <ChoiceField
          label="Left matrix"
          value={policy.left}
          options={matrices}
          onChange={(left) => onChange({ ...policy, left })}
        />
        <ChoiceField
          label="Right matrix"
          value={policy.right}
          options={matrices}
          onChange={(right) => onChange({ ...policy, right })}
        />
        <TextField
          label="Product, an output"
          value={policy.product}
          onChange={(product) => onChange({ ...policy, product })}
        />
      </div>
      <ChoiceField
        label="Entries are"
        value={policy.precision}
        options={PRECISIONS}
        onChange={(precision) => onChange({ ...policy, precision })}
      />
      {policy.precision !== "" && (
        <Tick
          label="Badly scaled: the product comes in parts (multiply_floats.py)"
          ticked={policy.graded}
          onChange={(graded) => onChange({ ...policy, graded })}
        />
      )}
    </>
  );
}

function SegmentFields({ policy, onChange }: Pick<Props, "policy" | "onChange">) {
  const set = (field: keyof PolicyDraft) => (value: string) => onChange({ ...policy, [field]: value });
  return (
    <>
      <div className="row">
        <TextField label="Segments" numeric value={policy.segments} onChange={set("segments")} />
        <TextField label="Trained again" numeric value={policy.sampled} onChange={set("sampled")} />
        <TextField
          label="Threshold"
          unit="millionths"
          numeric
          value={policy.thresholdPpm}
          onChange={set("thresholdPpm")}
        />
      </div>
      <TextField
        label="Checkpoints"
        value={policy.checkpoints}
        onChange={set("checkpoints")}
        hint="Where among the outputs they stand: this, then 0000.npz and so on."
      />
      <TextField
        label="Command for one segment"
        rows={3}
        value={policy.replay}
        onChange={set("replay")}
        hint="One word a line; {segment} stands for its number. It starts from segment-start.npz and writes /out/segment-end.npz."
      />
      <Tick
        label="The provider keeps checkpoints until a draw asks for them"
        ticked={policy.withhold}
        onChange={(withhold) => onChange({ ...policy, withhold })}
      />
    </>
  );
}

interface TickProps {
  readonly label: string;
  readonly ticked: boolean;
  readonly onChange: (ticked: boolean) => void;
}

function Tick({ label, ticked, onChange }: TickProps) {
  return (
    <p>
      <label>
        <input type="checkbox" checked={ticked} onChange={(event) => onChange(event.target.checked)} /> {label}
      </label>
    </p>
  );
}
