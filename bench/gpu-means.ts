/** @file What a machine has for measurements on a GPU, and what is missing, with its remedy; a line each. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { devicesHere } from '../src/graph/device.ts'
import { compile, type Device, input, matmul } from '../src/graph/index.ts'

/** Runs a program and returns what it prints. @throws where it is not here, or fails */
export type Ask = (program: string, ...args: readonly string[]) => Promise<string>

export type GpuMeans = {
  lines: string[]
  opens: boolean // the device computes, by onnxruntime
  torch?: 'cuda' | 'cpu' // where PyTorch can be compared; absent where it cannot
}

const TORCH = 'import json, torch; print(json.dumps([torch.__version__, torch.cuda.is_available()]))'
const TORCH_REMEDY = '`pip install torch` for the python3 that is found first, or activate the environment that has it'

const askHere: Ask = async (program, ...args) => (await promisify(execFile)(program, args)).stdout

export async function gpuMeans(
  device: Device,
  { ask = askHere, open = tryDevice }: { ask?: Ask; open?: (device: Device) => Promise<void> } = {},
): Promise<GpuMeans> {
  const lines = [`onnxruntime knows: ${devicesHere().join(', ')}`]
  const cards = await cardsHere(ask)
  lines.push(...cards.lines.map((line) => `card: ${line}`))
  if (cards.lines.length === 0)
    lines.push(`card: none answers (nvidia-smi: ${cards.reason}). NVIDIA's driver brings it`)
  let opens = true
  try {
    await open(device)
    lines.push(`onnxruntime on ${device}: computes`)
  } catch (error) {
    opens = false
    lines.push(`onnxruntime on ${device}: missing. ${(error as Error).message}`)
  }
  const { torch, line } = await torchHere(device, ask)
  lines.push(line)
  return { lines, opens, torch }
}

async function cardsHere(ask: Ask): Promise<{ lines: string[]; reason: string }> {
  try {
    const told = await ask('nvidia-smi', '--query-gpu=name,memory.total,driver_version', '--format=csv,noheader')
    const lines = told.split('\n').filter((line) => line.trim() !== '')
    return { lines, reason: 'it names none' }
  } catch (error) {
    return { lines: [], reason: reasonOf(error) }
  }
}

async function torchHere(device: Device, ask: Ask): Promise<{ torch?: 'cuda' | 'cpu'; line: string }> {
  if (device !== 'cuda' && device !== 'cpu')
    return { line: `PyTorch: not compared, ours runs on ${device}, where it does not` }
  try {
    const [version, seesCuda] = JSON.parse(await ask('python3', '-c', TORCH)) as [string, boolean]
    if (device === 'cpu' || seesCuda) return { torch: device, line: `PyTorch: ${version}, on ${device}` }
    return { line: `PyTorch: ${version} sees no CUDA, the learner is not compared with it. ${TORCH_REMEDY}` }
  } catch (error) {
    return { line: `PyTorch: missing (${reasonOf(error)}), the learner is not compared with it. ${TORCH_REMEDY}` }
  }
}

/** Not installed, or the last line that it printed: of Python the error. */
export function reasonOf(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string }
  return code === 'ENOENT' ? 'not found' : (stderr || message).trim().split('\n').at(-1)!
}

/** A product on the device. @throws InputError with the remedy where it cannot */
async function tryDevice(device: Device): Promise<void> {
  const x = input('x', [1, 1])
  const program = await compile({ name: 'a product', outputs: { y: matmul(x, x) }, device })
  await program.run()
  await program.release()
}

/** MiB in use on all NVIDIA cards, by everybody; undefined where none answers. */
export async function cardMegabytes(ask: Ask = askHere): Promise<number | undefined> {
  try {
    const told = await ask('nvidia-smi', '--query-gpu=memory.used', '--format=csv,noheader,nounits')
    return told
      .trim()
      .split('\n')
      .map(Number)
      .reduce((a, b) => a + b, 0)
  } catch {
    return undefined
  }
}
