"""Model fields for names and search text that are cleaned however a row is written."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models

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


def _cleaned(value: Any) -> Any:
    return clean_name(value) if isinstance(value, str) else value
