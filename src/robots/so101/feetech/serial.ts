/** @file A serial port as the wire to a servo bus. The package that drives it is loaded when one is opened. */
import type { SerialPort } from 'serialport'
import { InputError } from '../../../errors.ts'
import type { Line } from './line.ts'

export const BAUD = 1_000_000

/** A serial port of this machine: `serial` is the number of its USB adapter, which stays when the path changes. */
export type KnownPort = { path: string; serial?: string; maker?: string }

/** Optional among our packages: it has a native part, which not every machine can have. @throws InputError where it is missing */
const serialPackage = () =>
  import('serialport').catch((cause: Error) => {
    const remedy = 'Install Duet again where npm may install optional packages, or add serialport beside it'
    throw new InputError('serialport', `cannot be loaded (${cause.message})`, remedy, { cause })
  })

/** Those that are, or could be, USB adapters. */
export async function knownPorts(): Promise<KnownPort[]> {
  const { SerialPort } = await serialPackage()
  const ports = await SerialPort.list().catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] // a Linux without udev: there a path can be given, but nothing is listed
    throw error
  })
  return ports
    .filter(({ vendorId, path }) => vendorId !== undefined || /ttyACM|ttyUSB|usbmodem|usbserial/.test(path))
    .map(({ path, serialNumber, manufacturer }) => ({
      path,
      ...(serialNumber && { serial: serialNumber }),
      ...(manufacturer && { maker: manufacturer }),
    }))
}

const describePorts = (ports: readonly KnownPort[]) =>
  ports.length === 0
    ? 'No USB serial adapter is plugged in: check the cable, and that it carries data'
    : `There are: ${ports.map(({ path, serial }) => (serial ? `${path} (serial:${serial})` : path)).join(', ')}`

/** `port`: a path, or "serial:" and the number of the USB adapter. @throws InputError if no such adapter is plugged in */
async function pathOf(port: string): Promise<{ path: string; serial?: string }> {
  const ports = await knownPorts()
  if (!port.startsWith('serial:')) return ports.find(({ path }) => path === port) ?? { path: port }
  const wanted = port.slice('serial:'.length)
  const found = ports.find(({ serial }) => serial === wanted)
  if (found) return found
  throw new InputError(port, 'no USB serial adapter has this number', describePorts(ports))
}

/** `serial`: by which it is found again after it was unplugged, whatever its path is then. @throws InputError if it cannot be opened */
export async function openSerial(port: string): Promise<Line & { serial?: string }> {
  const { path, serial } = await pathOf(port)
  const { SerialPort } = await serialPackage()
  const serialPort = new SerialPort({ path, baudRate: BAUD, autoOpen: false })
  await new Promise<void>((resolve, reject) => serialPort.open((error) => (error ? reject(error) : resolve()))).catch(
    async (error: Error) => {
      throw new InputError(port, `cannot be opened: ${error.message}`, await remedyFor(error), { cause: error })
    },
  )
  return { ...lineOf(serialPort), ...(serial && { serial }) }
}

async function remedyFor({ message }: Error): Promise<string> {
  if (/permission|access denied/i.test(message))
    return 'Let your user use it: on Linux `sudo usermod -aG dialout $USER`, then log in again'
  if (/lock|busy/i.test(message)) return 'Close the other program that uses it'
  return describePorts(await knownPorts())
}

function lineOf(port: SerialPort): Line {
  let listener: Parameters<Line['listen']>[0] | undefined
  port.on('data', (bytes: Uint8Array) => listener?.data(bytes))
  port.on('close', (error?: Error) => listener?.closed(error ? 'was unplugged' : 'was closed'))
  port.on('error', () => port.isOpen && port.close()) // `close` tells of it
  return {
    name: port.path,
    get open() {
      return port.isOpen
    },
    write: (bytes) => void (port.isOpen && port.write(Buffer.from(bytes))),
    listen: (next) => {
      listener = next
    },
    close: () => new Promise((resolve) => (port.isOpen ? port.close(() => resolve()) : resolve())),
  }
}
