// What the model writes, newest first, and a box to ask it.

import { useState } from 'preact/hooks';
import { getKnown } from '../config/values';
import { count } from '../format';
import type { Sample } from '../lab';
import { config, record, revision, sampleRefusal, sampling } from '../state';
import { can, sample } from './actions';

export function Samples() {
  revision.value;
  const samples = record.value?.samples ?? [];
  return (
    <section class="panel samples" aria-labelledby="samples-title">
      <h2 id="samples-title">What it writes</h2>
      <Ask />
      {samples.length === 0 ? (
        <p class="muted">Samples appear here while it trains. The early ones are noise; that is the point.</p>
      ) : (
        <ol reversed data-testid="samples">
          {samples.toReversed().map((item, index) => (
            <Item key={samples.length - index} sample={item} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Ask() {
  const [prompt, setPrompt] = useState<string | null>(null);
  const [temperature, setTemperature] = useState<string | null>(null);
  // Until something is typed here, the settings' own.
  const words = prompt ?? String(getKnown(config.value, 'evaluation.prompt') ?? '');
  const heat = temperature ?? String(getKnown(config.value, 'evaluation.temperature') ?? 1);
  const valid = heat.trim() !== '' && Number(heat) >= 0;
  const able = can.sample.value && !sampling.value && valid;
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        if (able) sample(words, Number(heat));
      }}
    >
      <label class="grow">
        <span>Begin with</span>
        <input
          type="text"
          value={words}
          onInput={(event) => setPrompt(event.currentTarget.value)}
          data-testid="ask-prompt"
        />
      </label>
      <label>
        <span>Temperature</span>
        <input
          type="text"
          inputMode="decimal"
          value={heat}
          aria-invalid={!valid}
          aria-describedby={valid ? undefined : 'ask-problem'}
          onInput={(event) => setTemperature(event.currentTarget.value)}
          data-testid="ask-temperature"
        />
      </label>
      <button type="submit" class="action" aria-disabled={!able} data-testid="ask">
        {sampling.value ? 'Writing …' : 'Sample now'}
      </button>
      {!valid && (
        <p class="problem" id="ask-problem">
          “{heat}” is not possible here. Allowed: a number from 0 up. 0 always takes the likeliest token.
        </p>
      )}
      {sampleRefusal.value && (
        <p class="problem" role="alert">
          {sampleRefusal.value}
        </p>
      )}
    </form>
  );
}

function Item({ sample: { step, prompt, text } }: { sample: Sample }) {
  return (
    <li data-testid="sample" data-step={step}>
      <p class="sample-step">step {count(step)}</p>
      <p class="prose">
        <span class="prompt">{prompt}</span>
        <span class="continuation">{text}</span>
      </p>
    </li>
  );
}
