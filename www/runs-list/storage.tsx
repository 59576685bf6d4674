// What the runs take of this browser's room, and how much of it weights may.

import { useEffect, useState } from 'preact/hooks';
import { bytes } from '../format';
import { storedRuns } from '../store/runs';
import { askToPersist, enforce, LIMITS, limit, persisted, weightsBytes } from '../store/weights';

export function Storage() {
  const [estimate, setEstimate] = useState<StorageEstimate | null>(null);
  const weights = weightsBytes();
  useEffect(() => {
    void navigator.storage?.estimate?.().then(setEstimate, () => {});
  }, [weights, storedRuns.value.length]);
  useEffect(() => {
    void navigator.storage?.persisted?.().then((yes) => {
      persisted.value ||= yes;
    });
  }, []);
  const { usage, quota } = estimate ?? {};
  return (
    <div class="storage" data-testid="storage">
      <p class="help">
        <span data-testid="storage-weights" data-value={weights}>
          Weights take {bytes(weights)}
        </span>
        {usage !== undefined && quota !== undefined && (
          <span data-testid="storage-usage" data-value={usage}>
            ; all that this page stores {bytes(usage)} of the {bytes(quota)} that the browser allows
          </span>
        )}
        . Past the limit, and where the browser has no more room, the oldest runs lose their weights first;
        their curves and settings stay.
      </p>
      <label class="inline-control">
        <span>Weights may take</span>
        <select
          value={String(limit.value)}
          data-testid="weights-limit"
          onChange={({ currentTarget }) => {
            limit.value = Number(currentTarget.value);
            void enforce();
          }}
        >
          {LIMITS.map((most) => (
            <option key={most} value={String(most)}>
              {Number.isFinite(most) ? bytes(most) : 'all that there is'}
            </option>
          ))}
        </select>
      </label>
      {navigator.storage &&
        (persisted.value ? (
          <span class="help" data-testid="persisted">
            The browser keeps them until you delete them.
          </span>
        ) : (
          <button
            type="button"
            class="quiet"
            title="Otherwise it may clear them when the disk is nearly full"
            onClick={() => void askToPersist(true)}
            data-testid="persist"
          >
            {persisted.value === null ? 'Ask the browser to keep them' : 'Ask the browser again to keep them'}
          </button>
        ))}
    </div>
  );
}
