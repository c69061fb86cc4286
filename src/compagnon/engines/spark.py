"""Spark: found, started once, and asked in jobs that can be followed and stopped.

A process has one session. It starts in 5 to 25 seconds at the first need and ends with the process; other settings end
it and start another. Messages of the JVM, which may quote cells, go to a folder that leaves with the process.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from compagnon.chain.plugins import missing_extra
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import Engine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

JAVA = 17
"""The oldest Java that Spark 4 runs on."""
_T = TypeVar("_T")

_FIXED = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    # The same texts and the same errors as in DuckDB.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    # A query reads what is declared, not files that it names itself.
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.parquet.mergeSchema": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
}
"""What the sameness of rows depends on; a user's ``config`` does not change these."""


@dataclass(frozen=True)
class Settings:
    """What a session is started with; two equal ones share it."""

    master: str
    memory: str | None = None
    config: tuple[tuple[str, str], ...] = ()
    metastore: str | None = None
    """``thrift://host:port``, or the folder of an embedded Derby database."""
    warehouse: str | None = None

    @classmethod
    def of(cls, engine: Engine, metastore: str | None = None, warehouse: str | None = None) -> Settings:
        return cls(
            engine.master or "local[*]", engine.memory, tuple(sorted(engine.config.items())), metastore, warehouse
        )

    @property
    def is_local(self) -> bool:
        return self.master.startswith("local")


class _Running:
    """The session of this process, if there is one."""

    lock = threading.RLock()
    settings: Settings | None = None
    session: SparkSession | None = None
    folder: Path | None = None
    gateway: Any = None


def session(settings: Settings) -> SparkSession:
    """The session for ``settings``, started if need be.

    Raises UserError ``extra.missing`` (pyspark), ``spark.java-missing``, ``spark.not-started``.
    """
    with _Running.lock:
        if _Running.session is not None and _Running.settings == settings and _alive(_Running.session):
            return _Running.session
        check()
        stop()
        _Running.session = _start(settings)
        _Running.settings = settings
        return _Running.session


def stop() -> None:
    """End the session of this process, if there is one."""
    with _Running.lock:
        if _Running.session is not None:
            try:
                _Running.session.stop()
            finally:
                _Running.session = _Running.settings = None


def check() -> None:
    """Raises UserError with what to install where Spark cannot run here."""
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise missing_extra("spark", error.name or "pyspark") from error
    found = java_version()
    if found is None or found < JAVA:
        what = (
            _("Spark needs Java, which is not installed.")
            if found is None
            else _("Spark needs Java {needed}; Java {found} is installed.").format(needed=JAVA, found=found)
        )
        raise UserError(
            "spark.java-missing",
            what,
            next=_(
                "Install Java {needed} (Debian: apt install openjdk-{needed}-jre-headless) or set JAVA_HOME, "
                "or leave engine: spark out."
            ).format(needed=JAVA),
        )


def java_version() -> int | None:
    """The major version of the Java that Spark would use; None if there is none."""
    home = os.environ.get("JAVA_HOME")
    command = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if command is None:
        return None
    try:
        shown = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', shown.stderr + shown.stdout)
    return int(match[1]) if match else None


def _alive(session: SparkSession) -> bool:
    try:
        return not session.sparkContext._jsc.sc().isStopped()
    except Exception:
        return False


def _start(settings: Settings) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    folder = _folder()
    conf = SparkConf(loadDefaults=False)
    for name, value in _configuration(settings, folder).items():
        conf.set(name, value)
    # Workers on this machine run the same Python, with the same libraries.
    for variable in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
        os.environ.setdefault(variable, sys.executable)
    try:
        if _Running.gateway is None:
            _Running.gateway = _gateway(conf, folder)
        context = SparkContext(conf=conf, gateway=_Running.gateway)
        return SparkSession(context)
    except Exception as error:
        _Running.gateway = SparkContext._gateway = SparkContext._jvm = None
        raise UserError(
            "spark.not-started",
            _("Spark does not start on {master}: {why}").format(master=settings.master, why=reason(error)),
            next=_("Check the master's address (local[*], spark://host:7077), or leave engine: spark out."),
        ) from None


def _folder() -> Path:
    """A private folder for what Spark writes beside its results; it leaves with the process."""
    if _Running.folder is None or not _Running.folder.is_dir():
        _Running.folder = Path(tempfile.mkdtemp(prefix="compagnon-spark-"))
        atexit.register(shutil.rmtree, _Running.folder, ignore_errors=True)
    return _Running.folder


def _configuration(settings: Settings, folder: Path) -> dict[str, str]:
    given = dict(settings.config)
    given.setdefault("spark.app.name", "compagnon")
    given.setdefault("spark.sql.shuffle.partitions", "16")
    given["spark.master"] = settings.master
    given["spark.local.dir"] = str(folder)
    if settings.is_local:
        given["spark.driver.host"] = given["spark.driver.bindAddress"] = "127.0.0.1"
    if settings.memory:
        # In local mode the driver does all the work.
        given["spark.driver.memory" if settings.is_local else "spark.executor.memory"] = settings.memory
    given["spark.sql.warehouse.dir"] = settings.warehouse or str(folder / "warehouse")
    if settings.metastore:
        given["spark.sql.catalogImplementation"] = "hive"
        if settings.metastore.startswith("thrift://"):
            given["spark.hadoop.hive.metastore.uris"] = settings.metastore
        else:
            url = f"jdbc:derby:;databaseName={settings.metastore}"
            given["spark.hadoop.javax.jdo.option.ConnectionURL"] = url
            given["spark.hadoop.hive.exec.scratchdir"] = str(folder / "hive")
    else:
        given["spark.sql.catalogImplementation"] = "in-memory"
    return {**given, **_FIXED}


def _gateway(conf: Any, folder: Path) -> Any:
    """A JVM whose messages go to a file."""
    from pyspark.java_gateway import launch_gateway

    with (folder / "jvm.log").open("ab") as log:
        gateway = launch_gateway(conf, popen_kwargs={"stderr": log, "stdout": log})
    gateway.jvm.java.lang.System.setProperty("derby.stream.error.file", str(folder / "derby.log"))
    return gateway


def reason(error: BaseException) -> str:
    """One line of why Spark refuses, without the cells that it may quote."""
    text = ""
    for get in ("getCondition", "getErrorClass"):
        with_class = getattr(error, get, None)
        if callable(with_class):
            text = str(with_class() or "")
            break
    message = str(getattr(error, "desc", None) or error).strip()
    if "SparkException" in message and "Caused by" in message:
        message = message.rpartition("Caused by: ")[2]
    first = message.partition("\n")[0]
    # Messages about the query quote names; those about rows quote cells.
    if text and is_about_rows(error):
        return text
    return re.sub(r"^\S*(Exception|Error): ", "", first)[:300]


def failed(error: BaseException) -> UserError:
    """What to say when a job of Spark fails for another reason than what it was asked."""
    return UserError(
        "spark.job-failed",
        _("Spark could not finish the work: {why}").format(why=reason(error)),
        next=_("Look at its master and workers, or leave engine: spark out: the rows are the same."),
    )


def is_about_rows(error: BaseException) -> bool:
    """Whether a job failed on a value, rather than the query for its names or its form."""
    from pyspark.errors import AnalysisException, ParseException

    return not isinstance(error, AnalysisException | ParseException)


def follow(
    session: SparkSession,
    action: Callable[[], _T],
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    every: float = 0.5,
) -> _T:
    """What ``action`` gives, as a job of ``session``; what ``on_progress`` (tasks done, of all) raises stops it."""
    from pyspark import InheritableThread

    name = uuid.uuid4().hex
    context = session.sparkContext
    outcome: dict[str, Any] = {}

    def work() -> None:
        context.setJobGroup(name, "compagnon", interruptOnCancel=True)
        try:
            outcome["value"] = action()
        except BaseException as error:
            outcome["error"] = error

    thread = InheritableThread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            thread.join(every)
            if not thread.is_alive():
                break
            on_progress(*_tasks(context, name))
    except BaseException:
        context.cancelJobGroup(name)
        thread.join(60)
        raise
    if "error" in outcome:
        raise outcome["error"]
    value: _T = outcome["value"]
    return value


def _tasks(context: Any, group: str) -> tuple[int, int]:
    tracker = context.statusTracker()
    done = total = 0
    for job in tracker.getJobIdsForGroup(group):
        info = tracker.getJobInfo(job)
        for stage in info.stageIds if info else ():
            found = tracker.getStageInfo(stage)
            if found:
                done, total = done + found.numCompletedTasks, total + found.numTasks
    return done, total


def write(
    frame: DataFrame, folder: Path, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Path]:
    """``frame`` as Parquet files in ``folder``, which does not exist yet; the files, in the order of their names.

    Raises UserError ``spark.folder-not-shared`` where workers on other machines wrote somewhere else.
    """
    from pyspark.sql import Observation
    from pyspark.sql import functions as f

    counted = Observation()
    watched = frame.observe(counted, f.count(f.lit(1)).alias("rows"))
    follow(frame.sparkSession, lambda: watched.write.parquet(place(folder)), on_progress)
    files = sorted(folder.rglob("*.parquet"))
    expected = int(counted.get["rows"])
    if rows_of(files) != expected:
        raise UserError(
            "spark.folder-not-shared",
            _("Spark's workers do not see the solution's folder: what they wrote is not there."),
            next=_("Put the solution on a disk that all workers share, under the same path."),
        )
    return files


def rows_of(files: list[Path]) -> int:
    """How many rows Parquet files have, by their footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in files)


def read(
    session: SparkSession, folders: Sequence[Path], base: Path, partitions: Mapping[str, str], schema: Any = None
) -> DataFrame:
    """Parquet files in ``folders`` under ``base``, their Hive partitions as columns of the SQL types ``partitions``."""
    from pyspark.sql import functions as f

    # Spark takes these characters for a pattern.
    given = [re.sub(r"([\\{}\[\]*?])", r"\\\1", place(folder)) for folder in folders]
    reader = session.read.option("basePath", place(base))
    frame = (reader if schema is None else reader.schema(schema)).parquet(*given)
    return frame.select(
        *(f.col(quoted(name)) for name in frame.columns if name not in partitions),
        *(f.col(quoted(name)).cast(kind).alias(name) for name, kind in partitions.items()),
    )


def place(path: Path) -> str:
    """``path`` as Hadoop reads it: a URI whose special characters stand as they are."""
    return "file://" + path.absolute().as_posix()


def quoted(name: str) -> str:
    """``name`` as a column of a DataFrame."""
    return "`" + name.replace("`", "``") + "`"
