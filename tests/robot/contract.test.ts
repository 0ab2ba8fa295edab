/** @file The robots that there are, held to what a robot promises. */
import { fileURLToPath } from 'node:url'
import { ReplayedRobot } from '../../src/robots/replayed/robot.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'
import { serlCell } from '../robots/serl/cell.ts'
import { anArm } from '../robots/so101/builders.ts'
import { robotContract } from './contract.ts'

const golden = fileURLToPath(new URL('../fixtures/log/version-1', import.meta.url))

for (const arm of ['panda', 'gantry'] as const)
  robotContract(`the workcell with its ${arm}`, async () => {
    const robot = await Workcell.create({ arm })
    return { robot, task: 'pick', release: () => robot.free() }
  })

robotContract('an SO-101 behind its simulated bus', async () => {
  const { robot } = await anArm()
  return { robot, task: 'reach', release: () => void robot.close() }
})

const RECORDED = 'what it shows was recorded: no command changes it'
robotContract(
  'a log that is played back',
  async () => ({ robot: ReplayedRobot.open(golden), task: 'pick', release: () => {} }),
  { 'goes where it is told': RECORDED, 'holds still when told to': RECORDED, 'tells of its gripper': RECORDED },
)

robotContract('an arm behind a SERL server', async () => {
  const cell = await serlCell()
  return { robot: cell.robot, task: 'pick', precision: 0.005, release: () => void cell.close() }
})
