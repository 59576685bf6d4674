// One section of the settings; its advanced fields are folded until asked for, changed or wrong.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Field, Section } from '../config/schema';
import { get, matters, same } from '../config/values';
import { config, problems, usual } from '../state';
import { FieldRow } from './field';

export function FieldSet({ section, children }: { section: Section; children: ComponentChildren }) {
  const [asked, ask] = useState<boolean | null>(null);
  const fields = section.fields.filter(isShown);
  const plain = fields.filter((field) => !field.advanced);
  const advanced = fields.filter((field) => field.advanced);
  const changed = advanced.some(({ path }) => !same(get(config.value, path), get(usual.value, path)));
  const open = advanced.some(isWrong) || (asked ?? changed);
  return (
    <fieldset data-testid={`section-${section.name}`}>
      <legend>{section.label}</legend>
      {section.help && <p class="help">{section.help}</p>}
      {plain.map((field) => (
        <FieldRow key={field.path} field={field} />
      ))}
      {advanced.length > 0 && (
        <details
          class="advanced"
          open={open}
          onToggle={({ currentTarget }) => {
            // Also told when the fields are brought into view; only the visitor's own toggling counts.
            if (currentTarget.open !== open) ask(currentTarget.open);
          }}
          data-testid={`more-${section.name}`}
        >
          <summary>
            {advanced.length} more
            <span class="muted"> · {advanced.map((field) => field.label.toLowerCase()).join(', ')}</span>
          </summary>
          {advanced.map((field) => (
            <FieldRow key={field.path} field={field} />
          ))}
        </details>
      )}
      {children}
    </fieldset>
  );
}

const isWrong = ({ path }: Field): boolean => problems.value.some((problem) => problem.field === path);

/** What does not matter is hidden, unless it stands in the way. */
const isShown = (field: Field): boolean => matters(field, config.value) || isWrong(field);
