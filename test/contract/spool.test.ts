import { realMachine } from '../../src/os/real/index.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import { useTemporary } from '../support/temporary.ts';
import { queueContract } from './queue-contract.ts';

const temporary = useTemporary();

queueContract(
  'Filespooler queue',
  async () => {
    const path = temporary.path('queue');
    const queue = await createSpool(realMachine, path);
    return { queue, machine: realMachine, reopen: () => openSpool(realMachine, path) };
  },
  {
    numbers: true,
    gaps: async (_, job) => {
      await realMachine.files.unlink(job.path);
    },
    exclusive: true,
    creationOrder: true,
    anyBytes: true,
    keeping: true,
  },
);
