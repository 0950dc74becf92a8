/** Why a turn failed, in the language of the person. What an agent itself said stays as it said it. */
import { shortened } from '../../text/cut.ts';
import { isBlank, withoutTerminalControls } from '../../text/visible.ts';
import { failureCodeOf, type FailureCode } from '../../wire/failure-sentences.ts';
import type { Text } from './text.ts';

/** A longer reason is cut, because people do not read it. The operator finds the whole text elsewhere. */
const DETAIL_CHARS_MAX = 1_000;

/** A reason from an agent or a hub. It may be empty, have terminal controls, or have no full stop at its end. */
export function reasonText(reason: string): Text {
  const detail = shortened(withoutTerminalControls(reason).trim(), DETAIL_CHARS_MAX);
  if (isBlank(detail)) return { en: 'it gave no reason.', zh: '没有说明原因。' };
  const isWhole = /[.!?。！？…]$/.test(detail);
  return { en: isWhole ? detail : `${detail}.`, zh: inChinese(detail) };
}

const CHINESE: Readonly<Record<FailureCode, string>> = {
  a2a_address_private: '智能体的地址属于本机或其内部网络，添加智能体时必须明确指定。',
  a2a_answer_too_large: '智能体的回答太大。',
  a2a_answer_unreadable: '智能体的回答格式无法识别。',
  a2a_card_unusable: '智能体的名片无法使用：{0}。',
  a2a_declined: '智能体拒绝了这个请求。',
  a2a_declined_saying: '智能体拒绝了这个请求：{0}。',
  a2a_ended: '智能体没有给出回答就结束了。',
  a2a_failed: '智能体报告了失败。',
  a2a_failed_saying: '智能体报告了失败：{0}。',
  a2a_files_not_read: '消息的文件无法交给智能体。',
  a2a_files_too_large: '消息的文件超过 {0} MB，这是能发给该智能体的上限。',
  a2a_files_unknown: '智能体不接受这类文件。',
  a2a_login: '智能体要求登录，或不接受本程序的令牌。',
  a2a_login_saying: '智能体要求登录：{0}。',
  a2a_lost: '与智能体的连接已断开，它可能仍在处理。',
  a2a_moved: '智能体的地址上已没有可用的服务。',
  a2a_server: '智能体的服务器出了问题。',
  a2a_task_forgotten: '智能体已不记得这次处理。',
  a2a_unfinished: '智能体以未知的方式结束，回答可能不完整。',
  a2a_unprotected: '智能体的地址没有加密，因此不会向它发送令牌。',
  a2a_unreachable: '无法连接到智能体。',
  agent_at_limit_of_model: '智能体已停止，因为达到了模型的上限。',
  agent_at_limit_of_requests: '智能体已停止，因为它为一条消息发出的请求数达到了上限。',
  agent_broke: '智能体在处理时出错了。',
  agent_interrupted: '智能体因重启而中断。',
  agent_interrupted_often: '智能体在处理时被中断了 {0} 次。',
  agent_ended_turn: '智能体在完成之前自行结束了处理。',
  agent_message_too_large: '智能体发来的一条消息太大，无法读取。',
  agent_needs_login: '智能体需要先在运行本程序的机器上登录。',
  agent_needs_restart: '本程序已升级，需要重启后才能使用该智能体。',
  agent_not_ready: '智能体没有及时准备好。',
  agent_not_running: '智能体没有运行。',
  agent_other_version: '智能体使用的协议版本（{0}）不同，因此无法使用。',
  agent_refused: '智能体拒绝继续处理。',
  agent_removed: '智能体已被移除。',
  agent_said_error: '智能体报告了一个错误：{0}。',
  agent_stopped: '智能体已停止，给出的原因是：{0}。',
  cancelled: '这次处理已取消。',
  folder_missing: '文件夹 {0} 不存在。',
  folder_not_absolute: '文件夹 {0} 不是完整路径。',
  folder_not_usable: '路径 {0} 不是可以使用的文件夹。',
  files_not_given: '消息的文件无法交给智能体的程序。',
  expired: '消息在智能体处理之前已过期。',
  no_answer_in_day: '智能体在一天内没有回答。',
  no_answer_in_second: '智能体在 1 秒内没有回答。',
  no_answer_in_seconds: '智能体在 {0} 秒内没有回答。',
  hub_full_of_bytes: '这个工作区在平台上已存储 {0} MB，达到了上限。',
  hub_full_of_rows: '这个工作区在平台上已存储 {0} 条消息和报告，达到了上限。',
  program_ended_early: '智能体的程序在回答完成之前就结束了。',
  program_ended_for_others: '智能体的程序由多个会话共用，不得不被结束。',
  program_exit_code: '智能体的程序已退出，退出码为 {0}。',
  program_signal: '智能体的程序被信号 {0} 终止。',
  program_needs_node: '智能体的程序需要另一个版本的运行环境。',
  program_not_found: '找不到智能体的程序。',
  answer_files_not_kept: '回答的文件无法保存。',
  program_not_prepared: '无法启动智能体的程序，因为它的用户、变量文件或任务文件无法使用。',
  program_not_started: '无法启动智能体的程序。',
  program_not_started_because: '无法启动智能体的程序，因为{0}。',
  budget_used_up: '工作区的预算已用完。',
  hub_answer_unknown: '它已回答，但平台给出的回答格式无法识别。',
  task_ended: '它的任务已结束，状态为 {0}。',
  told_error: '它报告了一个错误。',
  too_large: '消息太大。',
  too_large_for_hub: '消息太大，平台无法接收。',
  turn_ended: '这次处理已结束，状态为 {0}。',
  workspace_not_found: '找不到工作区。',
};

/** Why the system does not start a program, and why a card can't be used, by the English words for it. */
const CAUSES: Readonly<Record<string, string>> = {
  'this process has reached its limit of open files': '本进程打开的文件数已达上限',
  'this machine has reached its limit of open files': '这台机器打开的文件数已达上限',
  'this user may start no more processes': '当前用户的进程数已达上限',
  'this machine has no memory left': '这台机器的内存已用完',
  'lark-bridge has no right to run that file': 'lark-bridge 没有运行该文件的权限',
  'this user has no right to do that': '当前用户没有这个权限',
  'there is no room left on the disk': '磁盘空间已用完',
  'this process may write no larger files': '本进程不能写入更大的文件',
  'the file system is read-only': '文件系统是只读的',
  'the disk reports an error': '磁盘报告了错误',
  'the folder in which this was started no longer exists': '启动时所在的文件夹已不存在',
  'it is no card of an agent': '它不是智能体的名片',
  'it names no address that speaks A2A 1.0 or 0.3': '其中没有支持 A2A 1.0 或 0.3 的地址',
  'it names an address that may not be used': '其中的地址不允许使用',
};

function inChinese(detail: string): string {
  const known = failureCodeOf(detail);
  if (known !== undefined) {
    const { code, value } = known;
    return CHINESE[code].replace('{0}', () => CAUSES[value] ?? value);
  }
  // A full-width mark has its own space after it, and a Latin one has not.
  if (/[。！？…]$/.test(detail)) return detail;
  return /[.!?]$/.test(detail) ? `${detail} ` : `${detail}。`;
}
