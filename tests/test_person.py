"""A person's whole way with mouse and keyboard: from the form to the request that goes
out. Needs Node and Chromium."""

import base64
import json
from email.parser import BytesParser

import pytest

from tests.support.expected_request import main_of
from tools.models import model
from tools.operations import find
from tools.pages.browser import Browser

pytestmark = pytest.mark.slow

SOUND = base64.b64encode(b"RIFF$\0\0\0WAVEfmt ").decode()
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").decode()


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


def run(browser, sandbox, auth, operation, *steps):
    """The one request that changes something, of a script run with what the form
    sends once it is so filled in."""
    script = find(operation)
    browser.show(script)
    left = browser.act(*steps)
    sent = json.dumps({**left["args"], "auth": auth})
    for path, value in left["workspace"]["secrets"].items():
        # Windmill keeps what is typed as a password, and gives it to the job.
        sent = sent.replace(f"$var:{path}", value)
    main_of(script)(**json.loads(sent))
    (posted,) = [seen for seen in sandbox.requests if seen.method == "POST"]
    return posted


def request(browser, sandbox, auth, operation, *steps):
    """The JSON of that request."""
    return run(browser, sandbox, auth, operation, *steps).json


def parts(posted):
    """The parts of a multipart request: name to content."""
    head = f"Content-Type: {posted.headers['content-type']}\r\n\r\n".encode()
    found = BytesParser().parsebytes(head + posted.body).get_payload()
    told = [part.get_param("name", header="content-disposition") for part in found]
    assert len(set(told)) == len(told)
    return dict(zip(told, (p.get_payload(decode=True) for p in found), strict=True))


def test_a_question_is_asked(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "chat/create_chat_completion",
        (["Request", "Model"], model("chat")),
        (["Request", "Messages", 0, "Text"], "Why is the sky blue?"),
        (["Request", "Messages"], None),
        (["Request", "Messages", 1, "Role"], "System message"),
        (["Request", "Messages", 1, "Text"], "Be brief."),
        (["Request", "Max Tokens"], 50),
    )

    assert found == {
        "model": model("chat"),
        "messages": [
            {"role": "user", "content": "Why is the sky blue?"},
            {"role": "system", "content": "Be brief."},
        ],
        "max_tokens": 50,
        "stream": False,
    }


def test_several_texts_are_embedded(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "embeddings/create_embeddings",
        (["Request", "Model"], "my/model"),
        (["Request", "Input"], "List of texts"),
        (["Request", "Input", "List Of Texts"], None),
        (["Request", "Input", "List Of Texts"], None),
        (["Request", "Input", "List Of Texts", 0, "Text"], "one"),
        (["Request", "Input", "List Of Texts", 1, "Text"], "two"),
    )

    assert found == {"model": "my/model", "input": ["one", "two"]}


def test_a_picture_is_made(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "images/generate_image",
        (["Request", "Model"], "my/painter"),
        (["Request", "Prompt"], "A fox"),
    )

    assert {"model": "my/painter", "prompt": "A fox"} == found


def test_a_batch_is_created(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "batches/create_batch",
        (["Request", "Input File ID"], "file-1"),
    )

    assert found["input_file_id"] == "file-1"
    assert found.keys() <= {"input_file_id", "endpoint"}


def test_documents_are_reranked(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "rerank/rerank_documents",
        (["Request", "Model"], model("rerank")),
        (["Request", "Query"], "What is a fox?"),
        (["Request", "Documents"], "Texts"),
        (["Request", "Documents", "Texts"], None),
        (["Request", "Documents", "Texts", 0, "Text"], "An animal."),
        (["Request", "Top N"], 1),
    )

    assert found == {
        "model": model("rerank"),
        "query": "What is a fox?",
        "documents": ["An animal."],
        "top_n": 1,
        "return_documents": False,
    }


def test_a_dropped_file_is_uploaded(browser, sandbox, auth):
    script = find("files/upload_file")
    browser.show(script)
    dropped = {"name": "train.jsonl", "content": "eyJ0ZXh0IjogImhpIn0K"}

    sent = browser.act(
        (["Form", "File Name"], "train.jsonl"),
        (["Form", "File", "File"], dropped),
    )["args"]
    main_of(script)(**{**sent, "auth": auth})

    (stored,) = sandbox.files.values()
    assert stored[1] == b'{"text": "hi"}\n'
    assert stored[0]["filename"] == "train.jsonl"


def test_a_text_is_spoken(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "audio/create_speech",
        (["Request", "Model"], "my/voice"),
        (["Request", "Text"], "Bonjour, la commande est prete."),
        (["Request", "Voice"], "narrator"),
        (["Request", "Audio Format"], "mp3"),
        (["Request", "Language"], "fr"),
        (["Request", "More Options"], True),
        (["Request", "Sample Rate"], 24000),
        (["Request", "Extra Settings"], "Set"),
        (["Request", "Extra Settings", "Pronunciations"], None),
        (["Request", "Extra Settings", "Pronunciations", 0], "42/quarante-deux"),
    )

    assert found == {
        "model": "my/voice",
        "input": "Bonjour, la commande est prete.",
        "voice": "narrator",
        "response_format": "mp3",
        "language": "fr",
        "sample_rate": 24000,
        "extra_params": {"pronunciation_dict": ["42/quarante-deux"]},
        "stream": False,
    }


def test_a_model_is_fine_tuned(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "fine_tuning/create_fine_tune",
        (["Request", "Training File ID"], "file-1"),
        (["Request", "Base Model"], "my/base"),
        (["Request", "Model Name Suffix"], "support"),
        (["Request", "Epochs"], 3),
        (["Request", "Learning Rate"], 0.00002),
        (["Request", "Training Type"], "LoRA"),
        (["Request", "Training Type", "LoRA Rank"], 32),
        (["Request", "Training Type", "LoRA Alpha"], 64),
        (["Request", "More Options"], True),
        (["Request", "Batch Size"], "Number"),
        (["Request", "Batch Size", "Number"], 16),
        (["Request", "Pack Short Examples"], "No"),
        (["Request", "Warmup Share"], 0.05),
        (["Request", "Weights & Biases Key"], "secret"),
    )

    assert found == {
        "training_file": "file-1",
        "model": "my/base",
        "suffix": "support",
        "n_epochs": 3,
        "learning_rate": 0.00002,
        "training_type": {"type": "Lora", "lora_r": 32, "lora_alpha": 64},
        "batch_size": 16,
        "packing": False,
        "warmup_ratio": 0.05,
        "wandb_key": "secret",
        "early_stopping_enabled": False,
    }


def test_answers_are_evaluated(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "evaluations/create_evaluation",
        (["Request", "Settings"], "Compare"),
        (["Request", "Settings"], "Classify"),
        (["Request", "Settings", "Data File ID"], "file-1"),
        (["Request", "Settings", "Judge", "Judge Model"], "my/judge"),
        (["Request", "Settings", "Judge", "Judge Instructions"], "Good or bad?"),
        (["Request", "Settings", "Labels"], None),
        (["Request", "Settings", "Labels", 0], "good"),
        (["Request", "Settings", "Labels"], None),
        (["Request", "Settings", "Labels", 1], "bad"),
        (["Request", "Settings", "Passing Labels"], None),
        (["Request", "Settings", "Passing Labels", 0], "good"),
        (["Request", "Settings", "Answers To Judge"], "Model"),
        (["Request", "Settings", "Answers To Judge", "Model"], "my/model"),
        (["Request", "Settings", "Answers To Judge", "System Message"], "Be kind."),
        (["Request", "Settings", "Answers To Judge", "User Message"], "{{prompt}}"),
        (["Request", "Settings", "Answers To Judge", "Max Tokens"], 512),
        (["Request", "Settings", "Answers To Judge", "Temperature"], 0),
    )

    assert found == {
        "type": "classify",
        "parameters": {
            "input_data_file_path": "file-1",
            "judge": {
                "model_source": "serverless",
                "model": "my/judge",
                "system_template": "Good or bad?",
            },
            "labels": ["good", "bad"],
            "pass_labels": ["good"],
            "model_to_evaluate": {
                "model_source": "serverless",
                "model": "my/model",
                "system_template": "Be kind.",
                "input_template": "{{prompt}}",
                "max_tokens": 512,
                "temperature": 0,
            },
        },
    }


def test_a_video_is_made_from_a_first_frame(browser, sandbox, auth):
    media = ["Request", "Media"]
    dropped = {"name": "fox.png", "content": PICTURE}
    found = request(
        browser,
        sandbox,
        auth,
        "videos/create_video",
        (["Request", "Model"], "my/filmer"),
        (["Request", "Prompt"], "The fox wakes up"),
        (["Request", "Seconds"], "5"),
        (["Request", "Aspect Ratio"], "16:9"),
        (media, "Set"),
        ([*media, "Frame Images"], None),
        ([*media, "Frame Images", 0, "Picture", "File"], dropped),
        ([*media, "Frame Images", 0, "Place"], "First or last"),
        ([*media, "Frame Images", 0, "Place", "First Or Last"], "first"),
        ([*media, "Reference Images"], None),
        ([*media, "Reference Images", 0, "File"], "URL"),
        ([*media, "Reference Images", 0, "File", "URL"], "https://example.com/f.png"),
        (["Request", "Generate Audio"], "No"),
    )

    assert found == {
        "model": "my/filmer",
        "prompt": "The fox wakes up",
        "seconds": "5",
        "ratio": "16:9",
        "generate_audio": False,
        "media": {
            "frame_images": [
                {"input_image": f"data:image/png;base64,{PICTURE}", "frame": "first"}
            ],
            "reference_images": ["https://example.com/f.png"],
        },
    }


def test_an_endpoint_gets_a_deployment_that_scales(browser, sandbox, auth):
    scaling = ["Request", "Autoscaling"]
    policy = [*scaling, "Scale-up Limits", "Policies", 0]
    posted = run(
        browser,
        sandbox,
        auth,
        "endpoints/create_endpoint_deployment",
        (["Project ID"], "proj_1"),
        (["Endpoint ID"], "ep_1"),
        (["Request", "Name"], "blue"),
        (["Request", "Model"], "projects/proj_1/models/ml_1"),
        ([*scaling, "Minimum Replicas"], 1),
        ([*scaling, "Maximum Replicas"], 4),
        ([*scaling, "Scale-to-zero Window"], "2h"),
        ([*scaling, "More Options"], True),
        ([*scaling, "Scale-up Limits"], "Set"),
        ([*scaling, "Scale-up Limits", "Policies"], None),
        ([*policy, "Period In Seconds"], 60),
        ([*policy, "Unit"], "Percent"),
        ([*policy, "Amount"], 100),
        (["Request", "Inactive Timeout"], 120),
    )

    assert posted.path == "/v2/projects/proj_1/endpoints/ep_1/deployments"
    assert posted.json == {
        "name": "blue",
        "model": "projects/proj_1/models/ml_1",
        "autoscaling": {
            "minReplicas": 1,
            "maxReplicas": 4,
            "scaleToZeroWindow": "2h",
            "scaleUp": {
                "policies": [
                    {
                        "type": "SCALING_POLICY_TYPE_PERCENT",
                        "value": 100,
                        "periodSeconds": 60,
                    }
                ]
            },
        },
        "inactiveTimeout": 120,
    }


def test_a_recording_is_transcribed(browser, sandbox, auth):
    posted = run(
        browser,
        sandbox,
        auth,
        "audio/create_transcription",
        (["Form", "Audio", "File"], {"name": "standup.wav", "content": SOUND}),
        (["Form", "Model"], model("transcription")),
        (["Form", "Language"], "de"),
        (["Form", "Hint"], "Windmill"),
        (["Form", "Response Format"], "verbose_json"),
        (["Form", "Tell Speakers Apart"], True),
        (["Form", "Minimum Speakers"], 2),
    )

    assert parts(posted) == {
        "file": base64.b64decode(SOUND),
        "model": model("transcription").encode(),
        "language": b"de",
        "prompt": b"Windmill",
        "response_format": b"verbose_json",
        "diarize": b"true",
        "min_speakers": b"2",
    }


def test_a_question_is_asked_with_a_tool_and_a_form_for_the_answer(
    browser, sandbox, auth
):
    answer = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "warm": {"type": "boolean"}},
        "required": ["city"],
    }
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    function = ["Request", "Tools", 0, "Function"]
    shape = ["Request", "Response Format", "JSON Schema"]
    found = request(
        browser,
        sandbox,
        auth,
        "chat/create_chat_completion",
        (["Request", "Model"], model("chat")),
        (["Request", "Messages", 0, "Text"], "Is it warm in Rome?"),
        (["Request", "Response Format"], "JSON schema"),
        ([*shape, "Name"], "weather"),
        ([*shape, "Schema"], "Editor"),
        ([*shape, "Schema", "Schema"], {"city": ["Required"], "warm": ["Boolean"]}),
        ([*shape, "Strict"], True),
        (["Request", "More Options"], True),
        (["Request", "Tools"], None),
        ([*function, "Function Name"], "get_weather"),
        ([*function, "Description"], "Tells the weather in a city."),
        ([*function, "Parameters"], "JSON"),
        ([*function, "Parameters", "Schema"], json.dumps(parameters)),
        (["Request", "Tool Choice"], "auto"),
    )

    assert found == {
        "model": model("chat"),
        "messages": [{"role": "user", "content": "Is it warm in Rome?"}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "weather", "schema": answer, "strict": True},
        },
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "Tells the weather in a city.",
                    "parameters": parameters,
                },
            }
        ],
        "tool_choice": "auto",
        "echo": False,
        "stream": False,
    }
