// What is said of a device.

import type { DeviceInfo } from '../lab';

/** How many workers share each batch, where one is not alone; behind a device's name. */
export const workerWords = ({ workers = 1 }: DeviceInfo): string =>
  workers > 1 ? `, ${workers} workers` : '';
