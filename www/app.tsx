// The page from top to bottom: header, messages, the view that is chosen; beside the one that trains, the settings.

import { Charts } from './charts/charts';
import { FileNotices } from './checkpoint/notices';
import { Recovery } from './device/loss';
import { DeviceNotices } from './device/notices';
import { Downstream } from './downstream/panel';
import { Settings } from './form/settings';
import { LengthView } from './length/view';
import { Beside } from './pieces/beside';
import { ProfilePanel } from './profile/panel';
import { Controls } from './run/controls';
import { Plan } from './run/plan';
import { Samples } from './run/samples';
import { Status } from './run/status';
import { Troubles } from './run/troubles';
import { PastRun } from './runs-list/past';
import { RunsView } from './runs-list/view';
import { Header } from './shell/header';
import { LinkNotice } from './shell/link';
import { ViewTitle, view } from './shell/views';
import { StoreNotices } from './store/notices';
import { Sweeps } from './sweep/sweeps';
import { DropTarget } from './text/drop';
import { TokenizerPanel } from './tokenizer/panel';

const VIEWS = { train: TrainView, runs: RunsView, sweeps: Sweeps, length: LengthView };

export function App() {
  const Shown = VIEWS[view.value];
  return (
    <>
      <Header />
      <main class={`main ${view.value}`} id="main">
        <DeviceNotices />
        <Recovery />
        <Troubles />
        <FileNotices />
        <StoreNotices />
        <Shown key={view.value} />
      </main>
      {view.value === 'train' && <Settings />}
      <DropTarget />
    </>
  );
}

function TrainView() {
  return (
    <>
      <ViewTitle>Train</ViewTitle>
      <LinkNotice />
      <PastRun />
      <section class="panel run" aria-label="Run">
        <Controls />
        <Status />
      </section>
      <Plan />
      <TokenizerPanel />
      <ProfilePanel />
      <Charts />
      <Downstream />
      <Samples />
      <Beside />
    </>
  );
}
