// Entry: styles, the worker, the first render.
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/form.css';
import './styles/run.css';
import './styles/samples.css';
import './styles/charts.css';
import './styles/profile.css';
import 'uplot/dist/uPlot.min.css';
import { render } from 'preact';
import { App } from './app';
import { followFiles } from './checkpoint/actions';
import { launch, listen } from './client';
import { follow } from './config/edit';
import { keepTilings } from './device/tilings';
import { fold } from './events';
import { applyScheme } from './shell/scheme';

applyScheme();
listen(fold);
listen(follow);
listen(followFiles);
listen(keepTilings);
launch();
const root = document.getElementById('app');
if (root) render(<App />, root);
