"""Prompts: what a marketplace plays, and by which name Asterisk knows each prompt.

`sound:` is one of Asterisk's own. `file:` (an operator's recording) and `tts:` (text) become
files in the prompts folder when a marketplace is applied. They are named by the hash of their content, so
no text that a person wrote becomes a path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ari_app.domain.ivr import whisper
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.flows import Flow
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.screening import CAPPED_PROMPT, CLOSED_PROMPT, REFUSED_PROMPT

ASTERISK_FOLDER = "/var/lib/callrace/prompts"

ACCEPT_PROMPT = "tts:You have a call. To accept it, press 1. To decline it, press 2."
TAKEN_PROMPT = "tts:This call has been taken."
NOBODY_PROMPT = "sound:vm-nobodyavail"
INVALID_PROMPT = "sound:pbx-invalid"

SYSTEM_PROMPTS = (
    ACCEPT_PROMPT,
    TAKEN_PROMPT,
    NOBODY_PROMPT,
    INVALID_PROMPT,
    CLOSED_PROMPT,
    REFUSED_PROMPT,
    CAPPED_PROMPT,
)


def stem(prompt: str) -> str:
    """The file name, without extension, of a `tts:` or `file:` prompt."""
    kind, _, _ = prompt.partition(":")
    return f"{kind}-{hashlib.sha256(prompt.encode()).hexdigest()[:24]}"


def media(prompt: str) -> str:
    """The media URI that ARI's play takes."""
    return prompt if prompt.startswith("sound:") else f"sound:{ASTERISK_FOLDER}/{stem(prompt)}"


def prompts_of(marketplace: Marketplace) -> set[str]:
    """Every prompt that a call under this marketplace may play."""
    prompts = set(SYSTEM_PROMPTS)
    for campaign in marketplace.campaigns.values():
        prompts.update(_of_campaign(campaign))
        if campaign.route.whisper:
            flow = marketplace.flows[campaign.flow] if campaign.flow else None
            prompts.update(whisper.possible(campaign.route.whisper, flow))
    for flow in marketplace.flows.values():
        prompts.update(_of_flow(flow))
    return prompts


def _of_campaign(campaign: Campaign) -> Iterator[str]:
    told = campaign.recording.consent.prompt if campaign.recording else None
    for prompt in (
        campaign.route.accept_prompt,
        campaign.route.fallback.play,
        campaign.screen.announce,
        told,
    ):
        if prompt:
            yield prompt


def _of_flow(flow: Flow) -> Iterator[str]:
    for node in flow.nodes.values():
        asked = node.menu or node.collect
        for prompt in (node.play, node.invalid_prompt, asked and asked.prompt):
            if prompt:
                yield prompt
