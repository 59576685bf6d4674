// What else the model could have written in a token's place.

import type { Candidate, Piece } from '../lab';

export function Alternatives({ pieces }: { pieces: Piece[] }) {
  return (
    <>
      {pieces.map((piece, index) => (
        <Choice key={index} piece={piece} />
      ))}
      <p class="help">The model’s own probabilities, before temperature, top k and top p.</p>
    </>
  );
}

function Choice({ piece }: { piece: Piece }) {
  const { alternatives, token } = piece;
  const all = alternatives.some((other) => other.token === token) ? alternatives : [...alternatives, piece];
  return (
    <table>
      <caption>
        wrote <code>{piece.label}</code>
      </caption>
      <tbody>
        {all.map((candidate) => (
          <Row key={candidate.token} candidate={candidate} drawn={candidate.token === token} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ candidate, drawn }: { candidate: Candidate; drawn: boolean }) {
  return (
    <tr data-drawn={drawn || undefined}>
      <th scope="row">
        <code>{candidate.label}</code>
        {drawn && <span class="visually-hidden"> (written)</span>}
      </th>
      <td>{percent(candidate.probability)}</td>
      <td class="share" aria-hidden="true">
        <span style={{ width: `${candidate.probability * 100}%` }} />
      </td>
    </tr>
  );
}

function percent(probability: number): string {
  const value = probability * 100;
  if (value >= 99.95 && value < 100) return '>99.9%';
  return value > 0 && value < 0.1 ? '<0.1%' : `${value.toFixed(1)}%`;
}
