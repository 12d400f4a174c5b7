from django.db import migrations, models

# Such a client meant to send, not to pass over opt-outs: from now on they stop it, as for every other one.
TO_SERVICE = "UPDATE messaging_doorclient SET purpose = 'service' WHERE purpose = 'opt_out_confirmation'"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0013_forgettable_calls")]

    operations = [
        migrations.RunSQL(TO_SERVICE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="doorclient",
            name="purpose",
            field=models.CharField(
                choices=[("service", "Service"), ("marketing", "Marketing"), ("authentication", "Authentication")],
                default="service",
                max_length=24,
                verbose_name="purpose",
            ),
        ),
        migrations.AddConstraint(
            model_name="doorclient",
            constraint=models.CheckConstraint(
                condition=~models.Q(purpose="opt_out_confirmation"), name="door_client_confirms_no_opt_outs"
            ),
        ),
    ]
