// The comparison alone, on runs that a test makes: `show(runs)` once `ready` is there.

import '../../../www/styles/tokens.css';
import '../../../www/styles/base.css';
import '../../../www/styles/layout.css';
import '../../../www/styles/run.css';
import '../../../www/styles/charts.css';
import '../../../www/styles/compare.css';
import 'uplot/dist/uPlot.min.css';
import { h, render } from 'preact';
import { compare, launch, listen } from '../../../www/client';
import { Comparison } from '../../../www/compare/comparison';
import { estimate } from '../../../www/compare/statistics';
import { fold } from '../../../www/events';
import { applyScheme, scheme } from '../../../www/shell/scheme';
import { defaults } from '../../../www/state';
import * as synthetic from '../../www/synthetic.mjs';

applyScheme();
const root = document.getElementById('runs');

/** What onRepeat was asked for. */
const repeats = [];

const show = (runs, props = {}) => {
  const onRepeat = (repeated, n) => repeats.push({ names: repeated.map(({ name }) => name), n });
  render(h(Comparison, { runs, onRepeat, ...props }), root);
};

const based = (make = {}) => ({ base: defaults.value, ...make });

listen(fold);
listen(({ type }) => {
  if (type !== 'ready') return;
  window.trainlab = {
    show,
    repeats,
    scheme,
    compare,
    estimate,
    run: (make) => synthetic.run(based(make)),
    seeds: (values, make) => synthetic.seeds(values, based(make)),
  };
  root.dataset.ready = '';
});
launch();
