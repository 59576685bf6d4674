// What else the model could have written in a token's place. Beside the token, until Escape, or until it is left.

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Candidate, Piece } from '../lab';
import { leaveSoon, looked, stay, unlook } from './look';

/** Between the token, this box and the window's edges. */
const GAP = 6;

export function Alternatives() {
  const box = useRef<HTMLDivElement>(null);
  const look = looked.value;
  const open = look !== null;

  useLayoutEffect(() => {
    const place = () => look && box.current && beside(look.element, box.current);
    place();
    addEventListener('scroll', place, { capture: true, passive: true });
    addEventListener('resize', place);
    return () => {
      removeEventListener('scroll', place, { capture: true });
      removeEventListener('resize', place);
    };
  }, [look]);

  useEffect(() => {
    if (!open) return;
    const onKeyDown = (event: KeyboardEvent) => event.key === 'Escape' && unlook();
    const onPointerDown = (event: PointerEvent) =>
      (event.target as Element).closest('.piece, .alternatives') ?? unlook();
    addEventListener('keydown', onKeyDown);
    addEventListener('pointerdown', onPointerDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
      removeEventListener('pointerdown', onPointerDown);
    };
  }, [open]);

  return (
    // Always there, so that screen readers hear what comes into it.
    <div
      ref={box}
      class="alternatives"
      role="status"
      hidden={!open}
      data-testid="alternatives"
      onPointerEnter={stay}
      onPointerLeave={(event) => event.pointerType === 'mouse' && leaveSoon()}
    >
      {look?.group.pieces.map((piece, index) => (
        <Choice key={`${look.index}.${index}`} piece={piece} />
      ))}
      {open && <p class="help">The model’s own probabilities, before temperature, top k and top p.</p>}
    </div>
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

/** Below the token where there is room, else above it. */
function beside(element: Element, box: HTMLElement): void {
  const at = element.getClientRects()[0];
  if (!at) {
    unlook();
    return;
  }
  const { width, height } = box.getBoundingClientRect();
  const below = at.bottom + GAP + height <= innerHeight;
  box.style.left = `${Math.max(GAP, Math.min(at.left, document.documentElement.clientWidth - width - GAP))}px`;
  box.style.top = `${below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height)}px`;
}
