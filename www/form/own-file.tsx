// A file of the visitor's own that runs use: chosen here or dropped, what is in use, and why another was refused. It never
// leaves the page.

import { chosen } from './chosen';

type Props = {
  /** What it is, after "Choose". */
  what: string;
  accept: string;
  /** Before `-file`, `-refusal` and `-state`. */
  testid: string;
  take(file: File): void;
  refusal: string | null;
  /** What is in use, or what could be. */
  state: string;
  /** The name of what is in use. */
  inUse: string | undefined;
};

export function OwnFile({ what, accept, testid, take, refusal, state, inUse }: Props) {
  return (
    <div class="own-text">
      <label class="file">
        <span>Choose {what}, or drop it anywhere on the page</span>
        <input
          class="own-file"
          type="file"
          accept={accept}
          data-testid={`${testid}-file`}
          onChange={chosen(take)}
        />
      </label>
      <div aria-live="polite">
        {refusal && (
          <p class="problem" data-testid={`${testid}-refusal`}>
            {refusal} {inUse && `${inUse} stays in use.`}
          </p>
        )}
        <p class="help" data-testid={`${testid}-state`}>
          {state}
        </p>
      </div>
    </div>
  );
}
