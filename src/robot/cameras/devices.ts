/** @file The cameras at this computer, as the operating system lists them. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { askFfmpeg } from '../../ffmpeg.ts'

/** `device`: as the setting of a USB camera takes it. `stable`: the same whatever it is plugged into first. */
export type VideoDevice = { device: string; name: string; stable?: string }

/** @throws InputError where ffmpeg is needed to list them, and is missing */
export function listDevices(platform: NodeJS.Platform = process.platform): VideoDevice[] {
  if (platform === 'linux') return videoDevices('/')
  const [format, input] = platform === 'darwin' ? ['avfoundation', ''] : ['dshow', 'dummy']
  const args = ['-hide_banner', '-f', format, '-list_devices', 'true', '-i', input]
  const listed = askFfmpeg('the list of cameras', args)
  return platform === 'darwin' ? devicesOfMac(listed) : devicesOfWindows(listed)
}

/** Of Video4Linux, below a root folder. A camera has several nodes; those past its first carry no pictures, or others. */
export function videoDevices(root: string): VideoDevice[] {
  const nodes = path.join(root, 'sys/class/video4linux')
  if (!existsSync(nodes)) return []
  const number = (node: string) => Number(/\d+$/.exec(node)?.[0])
  const read = (node: string, file: string) => readFileSync(path.join(nodes, node, file), 'utf8').trim()
  const links = stableNames(path.join(root, 'dev/v4l/by-id'))
  return readdirSync(nodes)
    .filter((node) => /^video\d+$/.test(node) && read(node, 'index') === '0')
    .sort((a, b) => number(a) - number(b))
    .map((node) => {
      const stable = links.get(node)
      return { device: `/dev/${node}`, name: read(node, 'name'), ...(stable && { stable }) }
    })
}

function stableNames(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map()
  return new Map(
    readdirSync(folder).map((link) => [path.basename(realpathSync(path.join(folder, link))), `/dev/v4l/by-id/${link}`]),
  )
}

/** "[0] FaceTime HD Camera" below the heading of the video devices. */
export function devicesOfMac(text: string): VideoDevice[] {
  const video = text.split(/AVFoundation audio devices/)[0]!.split(/AVFoundation video devices/)[1] ?? ''
  return [...video.matchAll(/\] \[(\d+)\] (.+)$/gm)].map(([, device, name]) => ({
    device: device!,
    name: name!.trim(),
  }))
}

/** '"Integrated Camera" (video)'. */
export const devicesOfWindows = (text: string): VideoDevice[] =>
  [...text.matchAll(/"([^"@][^"]*)" \(video\)/g)].map(([, name]) => ({ device: name!, name: name! }))
