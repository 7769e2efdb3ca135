import type { Leavable } from '../../relay/carried.ts';
import type { SshOptions } from '../../relay/ssh.ts';

export type RelayArgs = {
  readonly operand: string;
  readonly more: readonly string[];
  readonly options: {
    readonly watch: boolean;
    readonly once: boolean;
    readonly jobs: number | undefined;
    readonly 'max-jobs': number | undefined;
    readonly 'max-waiting': number | undefined;
    readonly limit: number | undefined;
    readonly lane: string | undefined;
    readonly 'leave-out': readonly Leavable[];
    readonly ssh: string | undefined;
    readonly 'remote-intray': string | undefined;
    readonly serve: boolean;
    readonly give: boolean;
    readonly parts: string | undefined;
    readonly lease: number | undefined;
    readonly grace: number | undefined;
    readonly json: boolean;
  };
};

export function sshOptions({ ssh, 'remote-intray': intray }: RelayArgs['options']): SshOptions {
  return { ssh, intray };
}
