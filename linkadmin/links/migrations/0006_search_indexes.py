from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from linkadmin.search.text_index import AddTextIndex


class Migration(migrations.Migration):

    dependencies = [
        ('links', '0005_list_indexes'),
    ]

    operations = [
        TrigramExtension(),
        AddTextIndex('linksearch', 'text'),
        AddTextIndex('enduser', 'search'),
        AddTextIndex('institution', 'search'),
        migrations.RemoveIndex(
            model_name='link',
            name='link_by_remote_id',
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(fields=['remote_id'], name='link_by_remote_id', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(condition=models.Q(('data_source_id', ''), _negated=True), fields=['data_source_id'], name='link_by_data_source_id', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='healthchange',
            index=models.Index(condition=models.Q(('operation_id__isnull', False)), fields=['operation_id'], name='health_change_of_operation'),
        ),
    ]
