/** @file Where a program runs: onnxruntime's execution providers by name, and what to do where one is missing. */
import ort from 'onnxruntime-node'
import { InputError } from '../errors.ts'

export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml'] as const
export type Device = (typeof DEVICES)[number]

/** How a program runs. */
export type Runtime = {
  threads?: number // inside an operation; by default all cores
  device?: Device // 'cpu'; operations that another device lacks run on the CPU
}

/** The devices that this build of onnxruntime knows; some need libraries of the system besides. */
export function devicesHere(): Device[] {
  const backends = ort.listSupportedBackends().map(({ name }) => name)
  return DEVICES.filter((device) => backends.includes(device))
}

const REMEDIES: Readonly<Record<Device, string>> = {
  cpu: 'Install the packages again with npm ci',
  cuda: 'It needs an NVIDIA GPU on Linux, CUDA 12, cuDNN 9 and `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node`',
  webgpu: 'It needs a GPU with a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS)',
  coreml: 'It needs macOS',
}

/** @throws InputError naming what there is instead */
export function requireDevice(device: Device): void {
  const here = devicesHere()
  if (here.includes(device)) return
  throw new InputError(
    'setting "device"',
    `is ${device}, which this build of onnxruntime lacks`,
    `There are: ${here.join(', ')}. ${REMEDIES[device]}`,
  )
}

/** What to make of an error when a session opens on `device`. */
export function deviceError(device: Device, name: string, cause: unknown): InputError {
  const [line] = (cause as Error).message.split('\n')
  const reason = line!.replace(/^.* was false\. /, '') // where in its source, and what it checked
  return new InputError(`device ${device}`, `cannot run ${name} (${reason})`, `${REMEDIES[device]}. Or take the CPU`, {
    cause,
  })
}
