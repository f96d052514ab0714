import { type FormEvent, useId, useState } from "react";
import { useNavigate } from "react-router";
import { paths } from "@/shared/paths.ts";

const JOB_ID = /^0x[0-9a-f]{64}$/i;

/** Goes to a job by its id: its page ends in its full trail. */
export function JobFinder() {
  const id = useId();
  const [text, setText] = useState("");
  const [refused, setRefused] = useState(false);
  const navigate = useNavigate();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const jobId = text.trim().toLowerCase();
    setRefused(!JOB_ID.test(jobId));
    if (JOB_ID.test(jobId)) void navigate(paths.job(jobId));
  };
  return (
    <form onSubmit={submit} noValidate>
      <h2>Trail of a job</h2>
      <div className="field">
        <label htmlFor={id}>Job id</label>
        <input
          id={id}
          value={text}
          placeholder="0x…"
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      {refused && <p role="alert">A job id is 0x and 64 hex digits: copy it from a job or an event.</p>}
      <button type="submit">Show the job</button>
    </form>
  );
}
