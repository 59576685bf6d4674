// The visitor's own text: paste it, choose a file or drop one. It never leaves the page.

import { useRef } from 'preact/hooks';
import { useOwnText } from '../client';
import { getKnown } from '../config/values';
import { describe } from '../errors';
import { chosen } from '../form/chosen';
import { controlId } from '../form/field';
import { bytes } from '../format';
import { config, ownRefusal, ownText, problems } from '../state';
import { OWN } from './corpora';

/** Long enough that a text is not read anew at every letter. */
const PAUSE_MS = 400;
/** Characters; a longer text is taken but not put into the box, which would keep the browser busy for seconds. */
const MOST_SHOWN = 200_000;

/** The core's name for what is wrong with the text itself. */
export const TEXT_FIELD = 'data.text';

export const wantsOwnText = (): boolean => getKnown(config.value, 'data.corpus') === OWN;

export function OwnText() {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  if (!wantsOwnText()) return null;
  const problem = problems.value.find(({ field }) => field === TEXT_FIELD);
  const inUse = ownText.value;
  return (
    <div class="own-text">
      <label for={controlId(TEXT_FIELD)}>Paste a text</label>
      <textarea
        id={controlId(TEXT_FIELD)}
        rows={5}
        data-testid="own-text"
        aria-invalid={problem !== undefined}
        aria-describedby="own-text-state"
        placeholder="A few thousand words or more"
        onInput={(event) => {
          const pasted = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => useOwnText(pasted, 'The pasted text'), PAUSE_MS);
        }}
        onPaste={(event) => {
          const pasted = event.clipboardData?.getData('text/plain') ?? '';
          if (pasted.length <= MOST_SHOWN) return;
          event.preventDefault();
          event.currentTarget.value = '';
          clearTimeout(timer.current);
          useOwnText(pasted, 'The pasted text');
        }}
      />
      <label class="file">
        <span>or choose a file, or drop one anywhere on the page</span>
        <input
          class="own-file"
          type="file"
          accept=".txt,.md,.csv,.json,.jsonl,text/*"
          data-testid="own-file"
          onChange={chosen((file) => useOwnText(file, file.name))}
        />
      </label>
      <div id="own-text-state" aria-live="polite">
        {ownRefusal.value && (
          <p class="problem" data-testid="own-text-refusal">
            {ownRefusal.value} {inUse && `${inUse.name} (${bytes(inUse.bytes)}) stays in use.`}
          </p>
        )}
        {problem && (
          <p class="problem" data-testid={`problem-${TEXT_FIELD}`}>
            {describe(problem)}
          </p>
        )}
        <p class="help" data-testid="own-text-state">
          {inUse ? `In use: ${inUse.name}, ${bytes(inUse.bytes)}. ` : 'No text yet. '}
          It stays in this page: it is sent nowhere, and links do not contain it.
        </p>
      </div>
    </div>
  );
}
