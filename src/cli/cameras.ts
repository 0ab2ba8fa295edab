/** @file `duet cameras`: which cameras there are at this computer, and what those of a config give. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { decodeError, type ErrorData, encodeError, InputError } from '../errors.ts'
import { contactSheet } from '../formats/images.ts'
import { formatTable } from '../metrics/summary.ts'
import { type CameraConfig, type CamerasConfig, parseCameras } from '../robot/cameras/config.ts'
import { listDevices } from '../robot/cameras/devices.ts'
import { type MeasuredCamera, measureCamera } from '../robot/cameras/measure.ts'
import { openCamera } from '../robot/cameras/open.ts'
import { fileSettings } from '../run/resolve.ts'

const PATIENCE = 10 // s until a camera has to have sent a picture

type Options = { out: string; seconds: number; json?: boolean }

export function register(program: Command): void {
  program
    .command('cameras')
    .description('lists the cameras at this computer; with a config, takes a picture of each of its cameras')
    .argument('[config]', 'YAML file with `cameras`, by themselves or under `robot`')
    .option(
      '--out <folder>',
      'where the pictures go: <name>.jpg as it came, <name>.png as the policy sees it',
      'cameras',
    )
    .option('--seconds <n>', 'how long rates and ages are measured', seconds, 2)
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet cameras
  duet cameras arm.yaml --out pictures

The exit code is 2 if a camera gives no picture. docs/cameras.md has the settings.
`,
    )
    .action(run)
}

async function run(file: string | undefined, options: Options): Promise<void> {
  if (file === undefined) list(options)
  else await show(file, options)
}

function list({ json }: Options): void {
  const devices = listDevices()
  if (json) process.stdout.write(`${JSON.stringify({ devices })}\n`)
  else if (devices.length === 0) process.stdout.write('There is no camera at this computer.\n')
  else
    for (const { device, name, stable } of devices)
      process.stdout.write(`${device}  ${name}${stable === undefined ? '' : `\n  always: ${stable}`}\n`)
}

type Shown = Omit<MeasuredCamera, 'frame'> & { files: string[] }
type Failed = { camera: string; error: ErrorData }

async function show(file: string, { out, seconds, json }: Options): Promise<void> {
  const cameras = Object.entries(camerasIn(file))
  mkdirSync(out, { recursive: true })
  const shown = await Promise.all(cameras.map(([name, camera]) => look(name, camera, seconds, out)))
  if (json) process.stdout.write(`${JSON.stringify({ cameras: shown })}\n`)
  else {
    const seen = shown.filter((one): one is Shown => !('error' in one))
    if (seen.length > 0) process.stdout.write(`${formatTable(HEAD, seen.map(row))}\n`)
    for (const one of shown) if ('error' in one) process.stderr.write(`${decodeError(one.error).message}\n`)
  }
  if (shown.some((one) => 'error' in one)) process.exitCode = 2
}

/** @throws InputError if the file has no cameras */
function camerasIn(file: string): CamerasConfig {
  const settings = fileSettings(file) as { cameras?: unknown; robot?: { cameras?: unknown } }
  const [where, cameras] = settings.cameras ? ['cameras', settings.cameras] : ['robot.cameras', settings.robot?.cameras]
  if (cameras === undefined)
    throw new InputError(file, 'has no cameras', 'Write "cameras:" and below it a name and its settings')
  return parseCameras(`${file}: ${where}`, cameras)
}

/** All cameras are looked at together, as a robot has them; one that fails leaves the others alone. */
async function look(name: string, config: CameraConfig, seconds: number, out: string): Promise<Shown | Failed> {
  try {
    const camera = await openCamera(name, config)
    try {
      const measured = await measureCamera(camera, seconds, PATIENCE)
      if (!('frame' in measured)) return { camera: name, error: measured }
      const { frame, ...numbers } = measured
      const files = [join(out, `${name}.jpg`), join(out, `${name}.png`)]
      writeFileSync(files[0]!, frame.image.jpeg!)
      writeFileSync(files[1]!, contactSheet([frame.image]))
      return { ...numbers, files }
    } finally {
      await camera.close()
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return { camera: name, error: encodeError(error) }
  }
}

const HEAD = ['camera', 'sends', 'policy sees', 'pictures/s', 'age [ms]', 'largest', 'kB/picture', 'picture']

const row = ({ camera, capture, image, rate, age, bytes, files }: Shown): string[] => [
  camera,
  `${capture.width} × ${capture.height}`,
  `${image.width} × ${image.height}`,
  rate.toFixed(1),
  age.median.toFixed(0),
  age.largest.toFixed(0),
  (bytes / 1000).toFixed(1),
  files.at(-1)!,
]

function seconds(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 600)) throw new InvalidArgumentError('Give a number of seconds, up to 600.')
  return value
}
