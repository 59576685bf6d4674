// Ways out of a problem that the core knows: each a button that changes one setting.

import { commit, edit } from '../config/edit';
import type { Problem } from '../lab';
import { sections } from '../state';

/** `onFix` says where the focus goes: the buttons vanish with the problem. */
export function Fixes({ problem, onFix }: { problem: Problem; onFix: () => void }) {
  const fields = sections.value.flatMap((section) => section.fields);
  return (
    <p class="fixes">
      {(problem.fixes ?? []).map(({ field, value }) => {
        const label = fields.find(({ path }) => path === field)?.label ?? field;
        return (
          <button
            key={field}
            type="button"
            class="quiet"
            onClick={() => {
              edit(field, value);
              commit();
              onFix();
            }}
            data-testid={`fix-${field}`}
          >
            Set {label.toLowerCase()} to {String(value)}
          </button>
        );
      })}
    </p>
  );
}
