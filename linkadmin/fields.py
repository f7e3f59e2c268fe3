"""Model fields for names and search text that are cleaned however a row is written. How a field loses its index."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AlterField
from django.db.migrations.state import ProjectState

from linkadmin.providers.names import clean_name, folded

if TYPE_CHECKING:
    Line = models.CharField[str, str]
    Lines = models.TextField[str, str]
else:
    Line, Lines = models.CharField, models.TextField


class NameField(Line):
    """A name: composed Unicode without control characters or direction marks."""

    def to_python(self, value: Any) -> Any:
        return _cleaned(super().to_python(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = _cleaned(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(_cleaned(value), connection)


class FoldedField(Lines):
    """Search text built from other columns, without case and accents. Written together with them."""

    def __init__(self, *args: Any, of: Iterable[str] = (), **kwargs: Any) -> None:
        self.of = tuple(of)
        usual: dict[str, Any] = {"blank": True, "editable": False, "default": "", "db_default": ""}
        super().__init__(*args, **usual | kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = " ".join(folded(str(getattr(model_instance, name) or "")) for name in self.of)
        setattr(model_instance, self.attname, value)
        return value


class CopiedField(Line):
    """A column of a related row, which never changes there: copied when a row is created, so indexes have it."""

    def __init__(self, *args: Any, of: str = "", **kwargs: Any) -> None:
        self.of = of
        super().__init__(*args, **{"editable": False} | kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if add:
            setattr(model_instance, self.attname, getattr(getattr(model_instance, self.of), self.attname))
        return super().pre_save(model_instance, add)


class DropIndexOfField(AlterField):
    """Change `db_index` of a field to False, and nothing else. On SQLite, Django would copy the table for it."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        field, new = (
            state.apps.get_model(app_label, self.model_name)._meta.get_field(self.name)
            for state in (from_state, to_state)
        )
        if schema_editor.connection.vendor != "sqlite" or new.db_index:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        others = {index.name for index in model._meta.indexes}
        editor: Any = schema_editor
        for name in editor._constraint_names(model, [field.column], index=True, unique=False, exclude=others):
            editor.execute(editor._delete_index_sql(model, name))


def _cleaned(value: Any) -> Any:
    return clean_name(value) if isinstance(value, str) else value
