// What the section says, worked out of what the core counted.

import { csv, csvFile } from '../../charts/csv';
import { save } from '../../charts/save';
import { getKnown } from '../../config/values';
import type { Bucket, Lengths, Packing, Usage } from '../../lab';
import type { Measured } from './state';

/** Up to so many times a text is nearly as good as new text (Muennighoff et al. 2023, arXiv 2305.16264). */
export const MOST_EPOCHS = 4;

/** As the form calls them. */
export const PACKINGS: Record<Packing, string> = {
  chunk: 'Windows',
  masked: 'Windows, documents apart',
  rows: 'One document each',
  balanced: 'One document each, all lengths alike',
};

export const packingOf = ({ config }: Measured): Packing => getKnown(config, 'data.packing') as Packing;

export type Expected = Lengths['expected'][number];

/** What the present settings come to. */
export const chosen = (measured: Measured): Expected | undefined =>
  measured.lengths.expected.find(({ packing }) => packing === packingOf(measured));

/** Of a bucket, what a run has read; null where that run has other documents. */
export function readOf(usage: Usage | null, buckets: Bucket[]): Usage | null {
  const same =
    usage?.buckets.length === buckets.length &&
    usage.buckets.every(({ from, tokens }, i) => from === buckets[i]?.from && tokens === buckets[i]?.tokens);
  return same ? usage : null;
}

export const span = ({ from, to }: Bucket): string => (from === to ? `${from}` : `${from}–${to}`);

/** The lengths that would be worn out while the text as a whole is not. */
export function worn(
  { lengths }: Measured,
  { epochs, whole }: Expected,
): { bucket: Bucket; epochs: number } | null {
  if (whole > MOST_EPOCHS) return null;
  const all = lengths.buckets.map((bucket, i) => ({ bucket, epochs: epochs[i] ?? 0 }));
  const most = all.reduce((most, one) => (one.epochs > most.epochs ? one : most), {
    epochs: 0,
  } as (typeof all)[0]);
  return most.epochs > MOST_EPOCHS ? most : null;
}

/** A row a bucket: what there is, what each packing would read, what the present run has read. */
export function toCsv({ lengths }: Measured, usage: Usage | null): string {
  const { buckets, expected, tokens, context } = lengths;
  const read = readOf(usage, buckets);
  return csv([
    [
      ...['from_tokens', 'to_tokens', 'documents', 'tokens', 'share_of_tokens', 'context'],
      ...expected.map(({ packing }) => `expected_epochs_${packing}`),
      ...['read_tokens', 'read_epochs', 'most_read_document_epochs'],
    ],
    ...buckets.map((bucket, i) => {
      const own = read?.buckets[i];
      return [
        ...[bucket.from, bucket.to, bucket.documents, bucket.tokens, bucket.tokens / tokens, context],
        ...expected.map(({ epochs }) => epochs[i] ?? null),
        ...[own?.read ?? null, own?.epochs ?? null, own?.most ?? null],
      ];
    }),
  ]);
}

export const saveLengths = (measured: Measured, usage: Usage | null): void =>
  save(csvFile(toCsv(measured, usage)), 'trainlab-documents.csv');
