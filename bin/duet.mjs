#!/usr/bin/env node
import { openModule } from './program.mjs'

await openModule('cli/main')
