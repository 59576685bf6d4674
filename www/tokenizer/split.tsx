// A text in its tokens, each a coloured piece: the beginning of the text, or what the visitor types.

import { useMemo } from 'preact/hooks';
import { count, figures } from '../format';
import type { VocabularyUse } from '../lab';
import { group, Strip } from '../pieces/strip';
import type { Split } from '../protocol';
import { splitThis } from './splitting';

type Part = VocabularyUse['parts'][number];

/** Neighbours differ, and so do those next to them. */
const TINTS = 4;

export function SplitText({ shown }: { shown: Split }) {
  const { parts, bytes } = shown;
  const groups = useMemo(() => group(parts), [parts]);
  return (
    <div class="split">
      <label for="split-sample">
        A text to split <span class="muted">(empty: how the training text begins)</span>
      </label>
      <textarea
        id="split-sample"
        rows={2}
        spellcheck={false}
        data-testid="split-sample"
        onInput={(event) => splitThis(event.currentTarget.value)}
      />
      <p class="help" id="split-help" role="status" data-testid="split-facts">
        {count(parts.length)} tokens for {count(bytes)} bytes: {figures(bytes / Math.max(parts.length, 1))}{' '}
        bytes each. Point at a token, or move with the arrow keys, to see its number.
      </p>
      <div class="prose">
        <Strip
          owner={shown}
          groups={groups}
          mark={(_, index) => ({ 'data-tint': index % TINTS })}
          about={({ pieces }) => <About parts={pieces} />}
          label="The text, token by token"
          help="split-help"
          testid="split"
        />
      </div>
    </div>
  );
}

function About({ parts }: { parts: Part[] }) {
  return (
    <>
      {parts.map(({ token, label, bytes, count: times }, index) => (
        <table key={index}>
          <caption>
            <code>{label}</code>
          </caption>
          <tbody>
            <Row name="number" value={String(token)} />
            <Row name="bytes" value={count(bytes)} />
            <Row name="times in the text" value={count(times)} />
          </tbody>
        </table>
      ))}
    </>
  );
}

function Row({ name, value }: { name: string; value: string }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{value}</td>
    </tr>
  );
}
