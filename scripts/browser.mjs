// How tests run the browser: with WebGPU on its own software adapter, so that they need no GPU.

const quiet = [
  '--no-sandbox', // root in a container has none
  '--no-first-run',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const withGpu = [...quiet, '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
export const withoutGpu = [...quiet, '--disable-blink-features=WebGPU'];
