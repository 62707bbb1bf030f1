"""What helps with a setting that is missing or wrong, by its name."""

HINTS = {
    "GEMINI_API_KEY": "create a key in Google AI Studio; `offhook simulate gemini` accepts any key",
    "TWILIO_AUTH_TOKEN": "copy the Auth Token from the front page of the Twilio Console",
    "TWILIO_ACCOUNT_SID": "copy the Account SID from the front page of the Twilio Console",
    "PUBLIC_URL": "the https address under which Twilio reaches this server, "
    "such as https://voice.example.com; a tunnel such as ngrok gives you one",
    "TWILIO_EDGE": "set both or neither, such as TWILIO_REGION=ie1 TWILIO_EDGE=dublin",
    "TRANSFER_TO": "without it, a call that offhook cannot continue ends after an apology",
    "WEBHOOK_SECRET": "any long random text, such as `openssl rand -hex 32` prints; give it to the "
    "receiver, who checks the signature with it",
    "RECORDING_KEY": "what `openssl rand -base64 32` prints; keep it: what was recorded "
    "with it cannot be read without",
    "API_TOKEN": "any long random text, such as `openssl rand -hex 32` prints",
    "REDIS_URL": "such as redis://localhost:6379/0; leave it unset to keep calls in STATE_DIR",
}
