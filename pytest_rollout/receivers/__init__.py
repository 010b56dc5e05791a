"""Where alerts arrive: real servers on loopback for Slack webhooks, PagerDuty events and mail.

::

    with Receivers() as receivers:
        tell(receivers.slack.url)
        receivers.slack.mode = Mode.REFUSE
        for message in receivers.messages("slack"):
            print(message.at, message.channel, message.body)
"""

from pytest_rollout.receivers.all_receivers import Receivers
from pytest_rollout.receivers.inbox import Inbox, Message, Mode, read_inbox
from pytest_rollout.receivers.mail import Mail
from pytest_rollout.receivers.pagerduty import PagerDuty
from pytest_rollout.receivers.slack import Slack

__all__ = ["Inbox", "Mail", "Message", "Mode", "PagerDuty", "Receivers", "Slack", "read_inbox"]
