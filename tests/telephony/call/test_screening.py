"""A call that is screened is not taken for one that a voicemail has answered, nor the reverse."""

import pytest

from agent.conversation.events import CallerSaid
from telephony.call.commands import EndCall
from telephony.call.ending import FOR_A_MACHINE, EndedReason
from telephony.call.events import EndRequested
from telephony.call.screening import is_screened
from tests.telephony.call.conftest import Phone, of

SCREENS = [
    "Please record your name, and the reason for your call.",
    "Hi, if you record your name and reason for calling, I'll see if this person is available.",
    "The person you're calling is using a screening service from Google. Say why you're calling.",
    "Please say your name and Google Voice will try to connect you.",
    "Front desk. May I ask who's calling, and why?",
    "Thank you. Please stay on the line.",
    "Hallo. Bitte nenne deinen Namen und den Grund deines Anrufs.",
    "Hola, diga su nombre y el motivo de su llamada.",
    "Bonjour, indiquez votre nom et la raison de votre appel.",
    "Olá, diga o seu nome e o motivo da chamada.",
    "Buongiorno, dica il suo nome e il motivo della chiamata.",
    "お名前とご用件をお話しください。",
    "이름과 전화하신 이유를 말씀해 주세요.",
    "请说出您的姓名和来电原因。",
]

VOICEMAILS = [
    "",
    "Hello?",
    "Nobody is in. Speak after the tone.",
    "Please leave your name, number and the reason for your call after the beep. I will call back.",
    "Leave your name and why you are calling, and I'll get back to you.",
    "Bitte nennen Sie Ihren Namen und Ihr Anliegen, wir rufen Sie zurück.",
    "Hinterlassen Sie eine Nachricht mit Namen und Grund nach dem Signalton.",
    "Deje su nombre y el motivo de su llamada después de la señal.",
    "Laissez votre nom et la raison de votre appel après le bip.",
    "Lasci il suo nome e il motivo dopo il segnale acustico.",
    "Deixe o seu nome e o motivo após o sinal.",
    "発信音の後にお名前とご用件をお話しください。",
    "삐 소리 후 이름과 용건을 남겨 주세요.",
    "请在提示音后留下姓名和事由。",
    "We are screening our calls, so please leave a message after the beep.",
    "You have reached the voicemail of Ann. To be put through, stay on the line.",
    "Please leave your name, your number and the reason for your call. Thank you.",
    "Bitte hinterlassen Sie Ihren Namen und den Grund Ihres Anrufs, ich melde mich.",
    "Deje su nombre y el motivo de su llamada, y le devolveremos la llamada.",
    "Laissez votre nom et le motif de votre appel. Merci.",
    "Lasci il suo nome e il motivo della chiamata. Grazie.",
    "Deixe o seu nome e o motivo da chamada.",
    "Graag uw naam en de reden van uw telefoontje inspreken.",
]


@pytest.mark.parametrize("words", SCREENS)
def test_whoever_asks_for_name_and_reason_screens_the_call(words: str) -> None:
    assert is_screened([words])


@pytest.mark.parametrize("words", VOICEMAILS)
def test_a_voicemail_does_not_also_one_that_asks_for_name_and_reason(words: str) -> None:
    assert not is_screened([words])


def test_what_was_said_last_counts_if_it_tells_anything() -> None:
    assert is_screened([VOICEMAILS[2], SCREENS[0], "Thanks."])
    assert not is_screened([SCREENS[0], "They cannot talk.", VOICEMAILS[2]])


@pytest.mark.parametrize("reason", sorted(FOR_A_MACHINE))
def test_a_screened_call_is_not_ended_for_a_machine_and_is_for_another_reason(
    phone: Phone, reason: EndedReason
) -> None:
    phone.greets()
    phone.tells(lambda session: CallerSaid(session, SCREENS[0]))
    assert of(EndCall, phone.step(EndRequested(reason))) == []
    ended = phone.step(EndRequested(EndedReason.TOO_MANY_RESUMES))
    assert [each.reason for each in of(EndCall, ended)] == [EndedReason.TOO_MANY_RESUMES]


@pytest.mark.parametrize("reason", sorted(FOR_A_MACHINE))
def test_a_call_that_a_voicemail_has_answered_is_ended(phone: Phone, reason: EndedReason) -> None:
    phone.greets()
    phone.tells(lambda session: CallerSaid(session, VOICEMAILS[3]))
    assert [each.reason for each in of(EndCall, phone.step(EndRequested(reason)))] == [reason]
