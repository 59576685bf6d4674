// The control for one kind of value. Numbers are text boxes, so that what is no number can be
// shown and explained instead of vanishing; the arrow keys step them.

import { useState } from 'preact/hooks';
import { commit, edit } from '../config/edit';
import { parse } from '../config/link';
import type { Field, Value } from '../config/schema';

/** One press of an arrow key on a logarithmic scale. */
const RATIO = 10 ** 0.1;

type Props = {
  field: Field;
  id: string;
  value: Value;
  invalid: boolean;
  describedBy: string;
  /** Where the field is shown a second time. */
  testid?: string;
};

export function Control(props: Props) {
  if (props.field.kind === 'switch') return <Switch {...props} />;
  if (props.field.kind === 'choice') return <Choice {...props} />;
  if (props.field.kind === 'list') return <List {...props} />;
  return <Entry {...props} />;
}

const common = ({ field, id, invalid, describedBy, testid }: Props) => ({
  id,
  name: field.path,
  'data-testid': testid ?? `field-${field.path}`,
  'aria-invalid': invalid,
  'aria-describedby': describedBy,
});

function Switch(props: Props) {
  return (
    <input
      {...common(props)}
      type="checkbox"
      checked={props.value === true}
      onChange={(event) => {
        edit(props.field.path, event.currentTarget.checked);
        commit();
      }}
    />
  );
}

function Choice(props: Props) {
  const { field, value } = props;
  return (
    <select
      {...common(props)}
      value={String(value)}
      onChange={(event) => {
        edit(field.path, parse(field, event.currentTarget.value));
        commit();
      }}
    >
      {field.choices.map((choice) => (
        <option key={String(choice.value)} value={String(choice.value)}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

/** A box for each choice; what is chosen stands in the order of the choices. */
function List(props: Props) {
  const { field, id, value, invalid, describedBy, testid } = props;
  const chosen = Array.isArray(value) ? value : [];
  const choose = (item: string, on: boolean) => {
    const next = field.choices
      .map(({ value }) => String(value))
      .filter((other) => (other === item ? on : chosen.includes(other)));
    edit(field.path, next);
    commit();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be one of the form's sections
    <div
      id={id}
      class="list"
      role="group"
      aria-labelledby={`${id}-label`}
      aria-describedby={describedBy}
      data-invalid={invalid || undefined}
      data-testid={testid ?? `field-${field.path}`}
    >
      {field.choices.map(({ value, label, help }) => (
        <label key={String(value)} title={help}>
          <input
            type="checkbox"
            name={field.path}
            value={String(value)}
            aria-describedby={describedBy}
            checked={chosen.includes(String(value))}
            onChange={(event) => choose(String(value), event.currentTarget.checked)}
          />
          {label}
        </label>
      ))}
    </div>
  );
}

function Entry(props: Props) {
  const { field, value } = props;
  // What is being typed: "1e-" must not turn into something else under the fingers.
  const [draft, setDraft] = useState<string | null>(null);
  // … but Back, Reset or the arrow keys may change the value while the field has the focus.
  const typing = draft !== null && parse(field, draft) === value;
  const numeric = field.kind !== 'text';
  const step = field.step ?? (field.kind === 'integer' ? 1 : null);

  const onKeyDown = (event: KeyboardEvent) => {
    const direction = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
    if (direction === 0 || (step === null && !field.logarithmic) || typeof value !== 'number') return;
    event.preventDefault();
    const next = field.logarithmic ? value * RATIO ** direction : value + direction * (step ?? 0);
    setDraft(null);
    const round = Number(next.toPrecision(field.logarithmic ? 2 : 12));
    edit(field.path, Math.min(Math.max(round, field.minimum ?? round), field.maximum ?? round));
  };

  return (
    <input
      {...common(props)}
      type="text"
      inputMode={field.kind === 'integer' ? 'numeric' : numeric ? 'decimal' : 'text'}
      spellcheck={false}
      value={typing ? draft : value === null ? '' : String(value)}
      placeholder={field.nullable ? 'none' : undefined}
      onInput={(event) => {
        setDraft(event.currentTarget.value);
        edit(field.path, parse(field, event.currentTarget.value));
      }}
      onBlur={() => {
        setDraft(null);
        commit();
      }}
      onKeyDown={numeric ? onKeyDown : undefined}
      onChange={commit}
    />
  );
}
