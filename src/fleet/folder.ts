/** @file What a run keeps of its fleet, beside the rest of the run: who may join, the broker's files, what robots told. */
import { join, resolve } from 'node:path'

export class FleetFolder {
  readonly path: string

  /** `run`: the run's folder. */
  constructor(run: string) {
    this.path = join(resolve(run), 'fleet')
  }

  get keys() {
    return join(this.path, 'keys.json')
  }
  get places() {
    return join(this.path, 'places.json')
  }
  get broker() {
    return join(this.path, 'broker.conf')
  }
  get brokerProcess() {
    return join(this.path, 'broker.pid')
  }
  get certificate() {
    return join(this.path, 'certificate.pem')
  }
  get certificateKey() {
    return join(this.path, 'certificate-key.pem')
  }
  invitation(robot: string) {
    return join(this.path, `invitation-${robot}.txt`)
  }
}
