// Opens the device that the visitor asks for, and gets a lost GPU back. Lives in the worker.

import { explain, isPanic, Loss } from '../errors';
import type { DeviceChoice, Lab } from '../lab';
import type { Event, Tilings } from '../protocol';
import { Pool, type Team } from '../replicas/pool';
import { nap } from '../turns';
import { whyNoWebGpu } from './webgpu';

/** A browser needs a moment to start its GPU process again, and a driver a second or two: pauses before each try. */
const TRIES_MS = [0, 250, 750, 1500];

export class Opener {
  /** What is open. */
  lab: Lab | null = null;
  /** That help the lab's worker, on the CPU. */
  private pool: Pool | null = null;
  private workers = 1;
  private readonly tilings: Tilings = {};
  private readonly core: (device: DeviceChoice) => Promise<Lab>;
  private readonly post: (event: Event) => void;

  constructor(core: (device: DeviceChoice) => Promise<Lab>, post: (event: Event) => void) {
    this.core = core;
    this.post = post;
  }

  /** What is open. Throws where nothing is. */
  needed(): Lab {
    if (!this.lab) throw new Error('No device is open. Choose one first.');
    return this.lab;
  }

  /**
   * `workers`: how many share each batch where that is the CPU. The device before stays in use where this one cannot be
   * opened.
   */
  async open(choice: DeviceChoice, workers: number): Promise<void> {
    try {
      this.workers = workers;
      await this.take(choice);
    } catch (error) {
      if (isPanic(error)) throw error;
      const missing = await whyNoWebGpu();
      this.post({ type: 'device-refused', asked: choice, message: explain(error).message, missing });
    }
  }

  /** What was measured on earlier visits, for when its adapter is opened. */
  recall(tilings: Tilings): void {
    Object.assign(this.tilings, tilings);
  }

  /** Posts what was measured since the device was opened, if anything was. */
  tellTilings(): void {
    const tilings = this.lab?.tilings();
    if (!this.lab || tilings === undefined) return;
    const adapter = this.lab.device().name;
    if (tilings === this.tilings[adapter]) return;
    this.tilings[adapter] = tilings;
    this.post({ type: 'tilings', adapter, tilings });
  }

  /** That share the batches of a run. */
  team(): Team | undefined {
    if (this.pool && this.pool.lost !== null) this.hire();
    return this.pool?.team();
  }

  /** How many share the batches of the runs that begin from now on. */
  share(workers: number): void {
    this.workers = workers;
    this.hire();
    if (this.lab) this.post({ type: 'workers', device: this.lab.device() });
  }

  private hire(): void {
    this.pool?.end();
    this.pool = this.workers > 1 && this.lab?.device().kind === 'cpu' ? new Pool(this.workers - 1) : null;
    this.lab?.use_workers(this.workers);
  }

  /** Throws a loss that tells the whole story where there is no GPU any more. */
  async reopen(loss: string): Promise<void> {
    let why = '';
    for (const pause of TRIES_MS) {
      await nap(pause);
      try {
        return await this.take('gpu');
      } catch (error) {
        if (isPanic(error)) throw error;
        why = explain(error).message;
      }
    }
    throw new Loss(`${loss} and could not be opened again: ${why}`);
  }

  private async take(choice: DeviceChoice): Promise<void> {
    const opened = await this.core(choice);
    this.lab?.free();
    this.lab = opened;
    this.hire();
    const device = opened.device();
    const tilings = this.tilings[device.name];
    if (tilings !== undefined) opened.recall(tilings);
    // What is missing only matters where the GPU is not in use.
    const missing = device.kind === 'gpu' ? null : await whyNoWebGpu();
    this.post({ type: 'device', asked: choice, device, missing });
  }
}
