/** @file What a run keeps of its fleet, beside the rest of the run: who may join, the broker's files, what robots told. */
import { join, resolve } from 'node:path'

export class FleetFolder {
  readonly path: string
  /** The run's folder. */
  readonly run: string

  constructor(run: string) {
    this.run = resolve(run)
    this.path = join(this.run, 'fleet')
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
  /** Those who may use a broker that a person runs: what its settings include. */
  get brokerUsers() {
    return join(this.path, 'users.conf')
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
  get settings() {
    return join(this.path, 'settings.json')
  }
  /** Weights that one can go back to. */
  get versions() {
    return join(this.path, 'versions')
  }
  get versionIndex() {
    return join(this.versions, 'index.json')
  }
  /** Which of them a person chose. */
  get choice() {
    return join(this.path, 'chosen-version.json')
  }
  /** How the fleet is, told by the learner every now and then. */
  get status() {
    return join(this.path, 'status.json')
  }
  invitation(robot: string) {
    return join(this.path, `invitation-${robot}.txt`)
  }
}
