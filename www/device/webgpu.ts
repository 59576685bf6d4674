// Why a page may have no WebGPU, and how to get it.

type Gpu = { requestAdapter(): Promise<object | null> };

/** Null where an adapter answers. Runs in the worker: some browsers have WebGPU in pages only. */
export async function whyNoWebGpu(): Promise<string | null> {
  if (!self.isSecureContext) {
    return 'WebGPU is only given to pages from https:// or localhost. Open this page from such an address.';
  }
  const gpu = (self.navigator as { gpu?: Gpu }).gpu;
  if (!gpu) {
    return (
      'This browser offers no WebGPU here. Chrome and Edge have it from version 113, Safari from 26, Firefox from 141 ' +
      'on Windows and 145 on a Mac; on Linux, Chrome needs the flag “Unsafe WebGPU Support” at chrome://flags.'
    );
  }
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (adapter) return null;
  return (
    'The browser has WebGPU but found no GPU that it may use. Turn on hardware acceleration in its settings, update the ' +
    'graphics driver, and look at chrome://gpu for the reason.'
  );
}
