// Is there enough long text? How long the documents are, and how often a run reads those of each length.

import { useEffect } from 'preact/hooks';
import { count, figures, percent } from '../../format';
import { config, noPlan, phase, text, waitsForTokenizer } from '../../state';
import { BarChart, type Bars } from './chart';
import { chosen, MOST_EPOCHS, PACKINGS, packingOf, readOf, saveLengths, span, worn } from './figures';
import { type Measured, measured, show, used } from './state';
import { LengthTable } from './table';

export function Documents() {
  useEffect(() => {
    show(true);
    return () => show(false);
  }, []);
  const found = measured.value;
  return (
    <section class="panel documents" aria-labelledby="documents-title" data-testid="documents">
      <div class="panel-head">
        <h2 id="documents-title">Is there enough long text?</h2>
        {found && (
          <button
            type="button"
            class="quiet"
            onClick={() => saveLengths(found, used.value?.usage ?? null)}
            data-testid="save-documents"
          >
            Save CSV
          </button>
        )}
      </div>
      <p class="help">
        A context is learned from documents that fill it. A document is a story or an exercise, a chapter, or
        in your own text what a line &lt;|endoftext|&gt;, or else two blank lines, separate. Where long ones
        are few, they are read again and again if sequences of all lengths are to come up alike. Text,
        tokenizer, context, steps and “Packing” are those of the settings in Train.
      </p>
      {found ? <Found found={found} /> : <p class="muted">{missing()}</p>}
    </section>
  );
}

function missing(): string {
  if (phase.value === 'waking') return 'The lab is being loaded.';
  if (waitsForTokenizer.value) return 'Make the tokenizer ready first: see “Tokenizer” in Train.';
  return noPlan.value ?? 'The documents are being measured.';
}

function Found({ found }: { found: Measured }) {
  const { lengths } = found;
  const { documents, tokens, context, long_documents, long_share, mean, median } = lengths;
  const usage = readOf(used.value?.usage ?? null, lengths.buckets);
  const expected = chosen(found);
  const tooOften = expected ? worn(found, expected) : null;
  const share: Bars = {
    title: 'Where the tokens are',
    up: 'Share of all tokens (%)',
    buckets: lengths.buckets,
    series: [
      {
        label: 'Share of tokens',
        look: 0,
        values: lengths.buckets.map((bucket) => (100 * bucket.tokens) / tokens),
      },
    ],
    across: { at: context, label: `context, ${count(context)}` },
    level: null,
  };
  return (
    <>
      <p data-testid="long-share" data-value={long_share} data-current={found.config === config.value}>
        {text.value?.name ?? 'The text'} has <b>{count(documents)}</b>{' '}
        {documents === 1 ? 'document' : 'documents'} to train on, {count(tokens)} tokens: {figures(mean)} on
        average, {count(median)} in the middle one. <b>{percent(long_share)}</b> of the tokens are in the{' '}
        {count(long_documents)} documents that have {count(context)} tokens, the context, or more.
      </p>
      <BarChart
        id="length-share"
        {...share}
        note="Documents by length in powers of two; the line is the context. What lies left of it cannot fill a sequence."
      />
      {expected && (
        <BarChart
          id="length-epochs"
          title="How often they are read"
          up="Epochs (times each token is read)"
          buckets={lengths.buckets}
          series={[
            {
              label: `Expected of this run: ${PACKINGS[packingOf(found)]}`,
              look: 0,
              values: lengths.buckets.map(({ documents }, i) =>
                documents > 0 ? (expected.epochs[i] ?? 0) : null,
              ),
            },
            ...(usage
              ? [
                  {
                    label: `Read by the present run, ${count(used.value?.step ?? 0)} steps`,
                    look: 1,
                    values: usage.buckets.map(({ documents, epochs }) => (documents > 0 ? epochs : null)),
                  },
                ]
              : []),
          ]}
          across={{ at: context, label: 'context' }}
          level={{ at: MOST_EPOCHS, label: `${MOST_EPOCHS} epochs` }}
          note="Up to four epochs a text is nearly as good as new text; beyond that, reading it again helps less and less (Muennighoff et al. 2023, arXiv 2305.16264)."
        />
      )}
      <p class="worn" role="status" data-testid="worn">
        {usage?.warning ??
          (tooOften && expected
            ? `This run would read the ${count(tooOften.bucket.documents)} documents of ${span(tooOften.bucket)} tokens ${figures(tooOften.epochs)} times each, the text as a whole ${figures(expected.whole)} times.`
            : '')}
      </p>
      <LengthTable measured={found} usage={used.value?.usage ?? null} />
      <h3>The longest documents</h3>
      <ol class="longest" data-testid="longest">
        {lengths.longest.map(({ name, tokens }, i) => (
          <li key={i}>
            <span>{name}</span> <span class="muted">{count(tokens)} tokens</span>
          </li>
        ))}
      </ol>
    </>
  );
}
