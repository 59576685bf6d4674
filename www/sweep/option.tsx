// One setting that a sweep asks about: its choices to be ticked, or its values to be listed, or drawn from a range.

import { useState } from 'preact/hooks';
import { parse } from '../config/link';
import type { Field, Value } from '../config/schema';
import { sections } from '../state';
import { withParameter } from './definition';
import { define } from './draft';
import type { Parameter } from './types';

type Props = { path: string; parameter: Parameter; random: boolean };

export function Option({ path, parameter, random }: Props) {
  const field = sections.value.flatMap(({ fields }) => fields).find((candidate) => candidate.path === path);
  const change = (changed: Parameter | null) => define((before) => withParameter(before, path, changed));
  return (
    <fieldset class="option" aria-label={field?.label ?? path} data-testid={`option-${path}`}>
      <div class="option-head">
        <strong>{field?.label ?? path}</strong>
        <code class="muted">{path}</code>
        <span class="spacer" />
        <button type="button" class="quiet" onClick={() => change(null)} data-testid={`remove-${path}`}>
          Leave out
        </button>
      </div>
      {field && <Values field={field} parameter={parameter} random={random} onChange={change} />}
    </fieldset>
  );
}

type ValuesProps = {
  field: Field;
  parameter: Parameter;
  random: boolean;
  onChange: (parameter: Parameter) => void;
};

function Values(props: ValuesProps) {
  const { field } = props;
  if (field.kind === 'choice') return <Ticks {...props} choices={field.choices} />;
  if (field.kind === 'switch') return <Ticks {...props} choices={SWITCH} />;
  if (field.kind === 'text' || field.kind === 'list') return <List {...props} separator="\n" />;
  return (
    <>
      {props.random && <Ranged {...props} />}
      {props.parameter.min === undefined && <List {...props} separator="," />}
    </>
  );
}

const SWITCH = [
  { value: false, label: 'Off' },
  { value: true, label: 'On' },
];

function Ticks({
  field,
  parameter,
  choices,
  onChange,
}: ValuesProps & { choices: { value: Value; label: string }[] }) {
  const values = parameter.values ?? [];
  return (
    <div class="ticks">
      {choices.map(({ value, label }) => (
        <label key={String(value)} class="check">
          <input
            type="checkbox"
            checked={values.includes(value)}
            onChange={({ currentTarget: { checked } }) =>
              onChange({
                // In the order in which they are listed.
                values: choices
                  .map((choice) => choice.value)
                  .filter((other) => (other === value ? checked : values.includes(other))),
              })
            }
            data-testid={`tick-${field.path}-${value}`}
          />
          {label}
        </label>
      ))}
    </div>
  );
}

/** Values apart by commas, or a line each where they are texts or lists. */
function List({ field, parameter, separator, onChange }: ValuesProps & { separator: string }) {
  const values = parameter.values ?? [];
  const shown = values.map((value) => String(value ?? '')).join(separator === ',' ? ', ' : separator);
  const [draft, setDraft] = useState(shown);
  const read = (text: string): Value[] =>
    text
      .split(separator)
      .map((part) => part.trim())
      .filter((part, index, parts) => part !== '' || (separator === '\n' && parts.length > 1 && index < 1))
      .map((part) => parse(field, part));
  const common = {
    // What is being typed stays; what another changes comes in.
    value: JSON.stringify(read(draft)) === JSON.stringify(values) ? draft : shown,
    'aria-label': `Values of ${field.label}`,
    'data-testid': `values-${field.path}`,
    spellcheck: false,
    onInput: ({ currentTarget: { value } }: { currentTarget: { value: string } }) => {
      setDraft(value);
      onChange({ values: read(value) });
    },
  };
  if (separator === '\n') return <textarea rows={3} {...common} />;
  return (
    <span class="values">
      <input type="text" placeholder="values, apart by commas" {...common} />
      {field.unit && <span class="unit">{field.unit}</span>}
    </span>
  );
}

/** From and to, evenly: by size or, on a logarithmic scale, by ratio. */
function Ranged({ field, parameter, onChange }: ValuesProps) {
  const on = parameter.min !== undefined;
  const low = parameter.min ?? field.minimum ?? 1;
  const high = parameter.max ?? field.maximum ?? low * 10;
  const distribution =
    field.kind === 'integer' ? 'int_uniform' : field.logarithmic ? 'log_uniform_values' : 'uniform';
  const bound = (name: 'min' | 'max', value: number) => (
    <input
      type="text"
      inputMode="decimal"
      aria-label={`${name === 'min' ? 'From' : 'To'}: ${field.label}`}
      value={String(value)}
      onChange={({ currentTarget }) => {
        const number = Number(currentTarget.value);
        if (currentTarget.value.trim() !== '' && Number.isFinite(number))
          onChange({ distribution, min: low, max: high, [name]: number });
      }}
      data-testid={`${name}-${field.path}`}
    />
  );
  return (
    <span class="values">
      <label class="check">
        <input
          type="checkbox"
          checked={on}
          onChange={() => onChange(on ? { values: [] } : { distribution, min: low, max: high })}
          data-testid={`range-${field.path}`}
        />
        anything
      </label>
      {on && (
        <>
          from {bound('min', low)} to {bound('max', high)}
          {field.logarithmic && <small class="muted">, by ratio</small>}
        </>
      )}
    </span>
  );
}
