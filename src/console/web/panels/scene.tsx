/** @file What a person is to lay before the robot goes on, and their word that it is there. */
import { sceneInFocus } from '../link/model.ts'
import { useConsole, useModel } from '../parts/context.ts'

export function ScenePanel() {
  const { connection } = useConsole()
  const scene = useModel((model) => model.scene)
  const inFocus = useModel((model) => sceneInFocus(model) !== null)
  const task = useModel(({ hello, scene }) => hello?.tasks.find(({ name }) => name === scene?.task))
  const stopped = useModel((model) => model.robot?.status === 'stopping' || model.robot?.status === 'stopped')
  if (!scene) return null
  return (
    <section class="card scene" aria-label="Scene" role="alert">
      <header>
        <h2>Lay the scene</h2>
        <span class="quiet small">robot {scene.robot} stands at its start and waits</span>
      </header>
      <p class="scene-task">{task?.instruction ?? scene.task}</p>
      {scene.scene && <p>{scene.scene}</p>}
      {scene.start && (
        <p class="scene-start">
          This time: <b>{scene.start}</b>
        </p>
      )}
      <button
        type="button"
        class="primary-act filled"
        disabled={stopped}
        onClick={() => connection.operate({ kind: 'ready', robot: scene.robot })}
      >
        Ready {inFocus && <kbd>Enter</kbd>}
      </button>
      <p class="quiet small">
        {stopped
          ? 'The robot is stopped. Look at it, then clear the stop: the scene is asked for again.'
          : 'Your hands out first: the robot moves as soon as you say so.'}
      </p>
    </section>
  )
}
