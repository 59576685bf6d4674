// How the visitor wants the charts of a run: the same for all of them.

import { type Signal, signal } from '@preact/signals';
import type uPlot from 'uplot';
import type { Spec } from './options';

export type XAxis = 'step' | 'tokens' | 'seconds' | 'flops';
export type Unit = 'loss' | 'bits_per_byte';

export const xAxis = signal<XAxis>('step');
export const logX = signal(false);
/** For loss and gradient norm; speed and learning rate stay linear. */
export const logY = signal(false);
/** Weight of the past in the moving average, 0 to 0.99. */
export const smoothing = signal(0.8);
export const unit = signal<Unit>('loss');
/** The stretch of the x axis that was dragged out, or null for all of it. */
export const zoom = signal<[number, number] | null>(null);

/** Plots that share an x axis, its zoom, a cursor and a picture. */
export type View = {
  name: string;
  xAxis: Signal<XAxis>;
  logX: Signal<boolean>;
  zoom: Signal<[number, number] | null>;
  /** Those on the page, by id. */
  plots: Map<string, { plot: uPlot; spec: () => Spec }>;
};

export const runView: View = { name: 'trainlab', xAxis, logX, zoom, plots: new Map() };

export const X_LABELS: Record<XAxis, string> = {
  step: 'step',
  tokens: 'training tokens',
  seconds: 'seconds of training',
  flops: 'training FLOPs',
};

export const UNIT_LABELS: Record<Unit, string> = { loss: 'nats per token', bits_per_byte: 'bits per byte' };
