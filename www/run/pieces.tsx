// What a model wrote, token by token: each tinted and underlined by how unlikely the model held it.

import { useMemo } from 'preact/hooks';
import type { Piece, Sample } from '../lab';
import { type Group, group, Strip } from '../pieces/strip';
import { Alternatives } from './alternatives';

/** `length` is that of the sample's pieces, which are one list that grows. */
export function Pieces({ sample, length }: { sample: Sample; length: number }) {
  const { pieces } = sample;
  const groups = useMemo(() => group(pieces), [pieces, length]);
  return (
    <Strip
      owner={sample}
      groups={groups}
      mark={(group) => ({ 'data-doubt': doubt(probability(group)) })}
      about={({ pieces }) => <Alternatives pieces={pieces} />}
      label="What follows, token by token"
      help="pieces-help"
      testid="pieces"
    />
  );
}

const probability = ({ pieces }: Group<Piece>): number =>
  pieces.reduce((all, piece) => all * piece.probability, 1);

/** In steps that the legend names. */
function doubt(probability: number): number {
  return probability >= 0.9 ? 0 : probability >= 0.5 ? 1 : probability >= 0.1 ? 2 : 3;
}
