// The beginning of the text that will be trained on.

import { bytes } from '../format';
import { download, text } from '../state';

export function Preview() {
  const coming = download.value;
  const there = text.value;
  return (
    <div class="preview">
      {coming && (
        <p class="help" data-testid="download">
          Fetching {coming.name}: {bytes(coming.received)}
          {coming.total !== null && ` of ${bytes(coming.total)}`}
          <progress
            value={coming.received}
            max={coming.total ?? undefined}
            aria-label={`Fetching ${coming.name}`}
          />
        </p>
      )}
      {there && (
        <details>
          <summary>
            How the text begins{' '}
            <span class="muted">
              · {there.name}, {bytes(there.bytes)}
            </span>
          </summary>
          <pre class="prose" data-testid="text-preview">
            {there.head} …
          </pre>
        </details>
      )}
    </div>
  );
}
