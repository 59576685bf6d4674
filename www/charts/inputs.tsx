// A choice and a switch in one line with others.

type SelectProps<Key extends string> = {
  label: string;
  choices: Record<Key, string>;
  value: Key;
  testid: string;
  change: (value: Key) => void;
};

export function Select<Key extends string>({ label, choices, value, testid, change }: SelectProps<Key>) {
  return (
    <label class="inline-control">
      <span>{label}</span>
      <select
        value={value}
        data-testid={testid}
        onChange={(event) => change(event.currentTarget.value as Key)}
      >
        {Object.entries<string>(choices).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

type ToggleProps = { label: string; value: boolean; testid: string; change: (on: boolean) => void };

export function Toggle({ label, value, testid, change }: ToggleProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value}
        data-testid={testid}
        onChange={(event) => change(event.currentTarget.checked)}
      />
      {label}
    </label>
  );
}
