// One setting: label, control, unit, help, what is wrong with it, the way back to its default.

import { reset } from '../config/edit';
import type { Field, Value } from '../config/schema';
import { get, same } from '../config/values';
import { describe } from '../errors';
import { config, problems, usual } from '../state';
import { Control } from './control';

export const controlId = (path: string): string => `set-${path.replace('.', '-')}`;

export function FieldRow({ field }: { field: Field }) {
  const id = controlId(field.path);
  const value = get(config.value, field.path);
  const byDefault = get(usual.value, field.path);
  const wrong = problems.value.filter((problem) => problem.field === field.path);
  const changed = !same(value, byDefault);
  const choice = field.choices.find((candidate) => candidate.value === value);
  const describedBy = [wrong.length > 0 ? `${id}-problem` : '', `${id}-help`].filter(Boolean).join(' ');
  return (
    <div class={`field ${field.kind}`} data-changed={changed || undefined}>
      {field.kind === 'list' ? (
        <span id={`${id}-label`}>{field.label}</span>
      ) : (
        <label for={id}>{field.label}</label>
      )}
      <span class="control">
        <Control field={field} id={id} value={value} invalid={wrong.length > 0} describedBy={describedBy} />
        {field.unit && <span class="unit">{field.unit}</span>}
      </span>
      {wrong.map((problem) => (
        <p key={problem.allowed} id={`${id}-problem`} class="problem" data-testid={`problem-${field.path}`}>
          {describe(problem)}
        </p>
      ))}
      <div class="help" id={`${id}-help`}>
        {field.help}
        {choice?.help && <span class="choice-help"> {choice.help}</span>}
      </div>
      {(field.details.length > 0 || field.kind === 'list') && (
        <details class="details">
          <summary aria-label={`More about ${field.label}`}>More about it</summary>
          {field.details.map((paragraph) => (
            <p key={paragraph}>{paragraph}</p>
          ))}
          {field.kind === 'list' &&
            field.choices.map(({ label, help }) => (
              <p key={label}>
                <b>{label}.</b> {help}
              </p>
            ))}
        </details>
      )}
      {changed && (
        <button
          type="button"
          class="reset"
          onClick={() => reset(field.path)}
          aria-label={`Reset ${field.label} to ${show(field, byDefault)}`}
          data-testid={`reset-${field.path}`}
        >
          changed · back to {show(field, byDefault)}
        </button>
      )}
    </div>
  );
}

const labelOf = (field: Field, item: string): string =>
  field.choices.find(({ value }) => value === item)?.label ?? item;

function show(field: Field, value: Value): string {
  const choice = field.choices.find((candidate) => candidate.value === value);
  if (choice) return choice.label;
  if (value === null) return 'none';
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map((item) => labelOf(field, item)).join(', ');
  return value === '' ? '(empty)' : String(value);
}
