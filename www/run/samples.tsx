// What the model writes, newest first.

import { count } from '../format';
import type { Sample } from '../lab';
import { record, revision } from '../state';
import { Ask } from './ask';
import { Pieces } from './pieces';

export function Samples() {
  revision.value;
  const samples = record.value?.findings.samples ?? [];
  return (
    <section class="panel samples" aria-labelledby="samples-title">
      <h2 id="samples-title">What it writes</h2>
      <Ask />
      {samples.length === 0 ? (
        <p class="muted">Samples appear here while it trains. The early ones are noise; that is the point.</p>
      ) : (
        <>
          <Legend />
          <ol reversed data-testid="samples">
            {samples.toReversed().map((item, index) => (
              <Item key={samples.length - index} sample={item} />
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function Legend() {
  return (
    <p class="help legend-doubt" id="pieces-help">
      How likely the model held each token:{' '}
      {['90% and more', 'from 50%', 'from 10%', 'less'].map((words, doubt) => (
        <span key={words} class="piece" data-doubt={doubt}>
          {words}
        </span>
      ))}{' '}
      Point at a token, or move through a text with the arrow keys, to see what else it could have written.
    </p>
  );
}

function Item({ sample }: { sample: Sample }) {
  return (
    <li data-testid="sample" data-step={sample.step} data-seed={sample.sample_seed}>
      <p class="sample-step">
        step {count(sample.step)}
        <small>{choices(sample)}</small>
      </p>
      <div class="prose">
        <span class="prompt">{sample.prompt}</span>
        <Pieces sample={sample} length={sample.pieces.length} />
      </div>
    </li>
  );
}

function choices({ temperature, top_k, top_p, sample_seed }: Sample): string {
  const words = [`temperature ${temperature}`];
  if (temperature > 0) {
    if (top_k > 0) words.push(`top k ${top_k}`);
    if (top_p < 1) words.push(`top p ${top_p}`);
    words.push(`seed ${sample_seed}`);
  }
  return words.join(', ');
}
