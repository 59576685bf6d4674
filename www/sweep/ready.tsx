// Ways to begin a sweep: ready-made ones, each with the question that it answers, and files.

import { useState } from 'preact/hooks';
import { chosen } from '../form/chosen';
import { take } from './actions';
import { open } from './draft';
import ready from './ready.json';
import type { Definition } from './types';

const DEFINITIONS = ready as unknown as Definition[];

export function Ready() {
  return (
    <section class="panel" aria-labelledby="ready-title">
      <h3 id="ready-title">Ready-made</h3>
      <p class="help">Small runs, so that each sweep is done within minutes on a processor with two cores.</p>
      <ul class="ready">
        {DEFINITIONS.map((definition) => (
          <li key={definition.name}>
            <h4>{definition.name}</h4>
            <p>{definition.description}</p>
            <button type="button" class="quiet" onClick={() => open(definition)} data-testid="ready">
              Look at it
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Import() {
  const [said, say] = useState<string | null>(null);
  return (
    <>
      {said && (
        <p class="problem" role="alert" data-testid="import-refusal">
          {said}
        </p>
      )}
      <label class="quiet file-button">
        Open a sweep file
        <input
          class="visually-hidden"
          type="file"
          accept=".yaml,.yml,.json"
          data-testid="import-sweep"
          onChange={chosen((file) => void take(file).then(say))}
        />
      </label>
    </>
  );
}
