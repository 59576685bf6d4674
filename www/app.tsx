// The page from top to bottom: header, messages, the run with its charts and samples; beside it the settings.

import { Charts } from './charts/charts';
import { FileNotices } from './checkpoint/notices';
import { Recovery } from './device/loss';
import { DeviceNotices } from './device/notices';
import { Settings } from './form/settings';
import { Beside } from './pieces/beside';
import { ProfilePanel } from './profile/panel';
import { Controls } from './run/controls';
import { Plan } from './run/plan';
import { Samples } from './run/samples';
import { Status } from './run/status';
import { Troubles } from './run/troubles';
import { Header } from './shell/header';
import { LinkNotice } from './shell/link';
import { DropTarget } from './text/drop';
import { TokenizerPanel } from './tokenizer/panel';

export function App() {
  return (
    <>
      <Header />
      <main class="main" id="main">
        <LinkNotice />
        <DeviceNotices />
        <Recovery />
        <Troubles />
        <FileNotices />
        <section class="panel run" aria-label="Run">
          <Controls />
          <Status />
        </section>
        <Plan />
        <TokenizerPanel />
        <ProfilePanel />
        <Charts />
        <Samples />
      </main>
      <Settings />
      <DropTarget />
      <Beside />
    </>
  );
}
